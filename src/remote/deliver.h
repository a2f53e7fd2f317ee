// One delivery from its arguments to its report. Described in docs/wire/remote.md.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "posix/clock.h"
#include "posix/fd.h"
#include "remote/connection.h"
#include "remote/controls.h"
#include "remote/destination.h"

namespace postern::remote {

struct Delivery {
  std::string host;
  std::string sender;
  std::vector<std::string> recipients;
};

/// What a delivery needs of the world; a test brings its own.
struct Surroundings {
  Directory directory;
  std::function<Result<Fd>(const Target&, Deadline)> connect;
  std::string queue = "queue";  // where lock/tcpto is
  std::uint64_t pid = 0;
};

struct Outcome {
  std::string report;  // as wire/remote_report.h has it
  /// No address could be connected to, and mail of other senders for that host goes nowhere else.
  bool host_unreachable = false;
};

/// Delivers the message on `message`. An open connection is used if it leads to where the message
/// goes; one that may serve another message is left in its place.
Outcome deliver(const Delivery& delivery, const Controls& controls, int message,
                Surroundings& surroundings, OpenConnection& connection);

/// The program: arguments "host sender recipient...", message on descriptor 0, report on 1; and
/// further ones from qmail-rspawn if it has any (wire/kept_worker.h). The exit code is 0 once the
/// report is out, whatever it says.
int run(std::span<char* const> arguments);

}  // namespace postern::remote

// What qmail-start starts, as data: each program, who it becomes, and which pipe stands on which of
// its descriptors. Drawn in docs/wire/spawn.md and docs/wire/clean.md.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "posix/identity.h"
#include "posix/pipe.h"
#include "posix/spawn.h"

namespace postern::start {

/// qmail-start [default-delivery [logger [argument...]]]
struct StartArguments {
  std::string default_delivery = "./Mailbox";
  std::vector<std::string> logger;  // empty: the log goes to descriptor 1 as it is
};
StartArguments parse_start_arguments(std::span<char* const> arguments);

/// Two pipes: orders from qmail-send to a server, and its reports back.
struct Channel {
  Pipe orders;
  Pipe reports;
};

struct Channels {
  Pipe log;  // only with a logger
  Channel lspawn;
  Channel rspawn;
  Channel clean;
};
Result<Channels> make_channels(bool with_logger);

struct StartPlan {
  std::vector<SpawnSpec> children;  // in this order
  SpawnSpec send;                   // what qmail-start itself turns into
};
/// `environment` is for all of them; `number_bytes` (1 or 2) is told to qmail-send and the spawns.
/// qmail-lspawn has no identity of its own: it stays what qmail-start is.
StartPlan plan_start(const StartArguments& arguments, const SuiteIds& ids, const Channels& channels,
                     const std::vector<std::string>& environment, std::size_t number_bytes);

}  // namespace postern::start

// qmail-qmqpc behind main: takes a message as qmail-queue does, and hands it to the first QMQP
// server that can be reached.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <vector>

#include "inet/address.h"
#include "qmtp/package_file.h"
#include "qmtp/package_parser.h"
#include "wire/queue_exit.h"

namespace postern::qmtp {

inline constexpr std::uint16_t qmqp_port = 628;

/// Reads descriptor `message` to its end, then `envelope`. A package of more than `most_bytes` is
/// refused: a server would refuse it, and no other would do better. Error: the exit code that says
/// why not.
std::expected<PackageFile, wire::QueueExit> read_package(
    int message, int envelope, std::uint64_t most_bytes = most_netstring_bytes);

/// Lines of control/qmqpservers. What is no address is said on descriptor 2 and left out.
std::vector<inet::IpAddress> parse_servers(const std::vector<std::string>& lines);

/// Asks one server after the other until one of them decides.
wire::QueueExit hand_over(const PackageFile& package, const std::vector<inet::IpAddress>& servers,
                          std::uint16_t port = qmqp_port);

/// The whole program, in the qmail home. The program's exit code.
int run_null_client(int message = 0, int envelope = 1);

}  // namespace postern::qmtp

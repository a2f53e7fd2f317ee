// What is wrong with an order before anything is done about it.
#pragma once

#include <sys/types.h>

#include <expected>
#include <string>
#include <string_view>

#include "posix/fd.h"

namespace postern::spawning {

/// A report's letter and text, where there is something to report.
using Refusal = std::string;

/// The message's path below queue/mess ("8/100"): digits and '/', the first a digit, at most 100
/// bytes. The recipient: an address with a host.
std::expected<void, Refusal> check_order(std::string_view message, std::string_view recipient);

/// Opens a message of the queue, which must be a regular file that `owner` (qmailq) owns: a spawn
/// hands its content to a stranger's process, so no other file may be passed off as a message.
/// The current directory is queue/mess.
std::expected<Fd, Refusal> open_message(const std::string& path, uid_t owner);

}  // namespace postern::spawning

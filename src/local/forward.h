// Forwarding: the message goes back into the queue, once for all addresses of a .qmail file.
#pragma once

#include <sys/types.h>

#include <expected>
#include <span>
#include <string>
#include <string_view>

#include "local/message.h"
#include "local/outcome.h"

namespace postern::local {

struct Forward {
  std::string sender;
  std::span<const std::string> recipients;
};
/// `head` (Delivered-To) stands before the message. The process id of qmail-queue, as the log shows
/// it, once the message is in the queue.
std::expected<pid_t, Failure> forward_message(const Forward& forward, std::string_view head,
                                              const Message& message,
                                              const std::string& qmail_home);

}  // namespace postern::local

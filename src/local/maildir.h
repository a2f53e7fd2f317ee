// Delivery into a Maildir: the file is written and synced in tmp/, then gets its name in new/, then
// that name is synced. A reader never sees half a message, and success means it is on the disk.
// Format: maildir(5), docs/wire/maildir.md.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <string_view>

#include "local/message.h"
#include "local/outcome.h"
#include "wire/maildir_name.h"

namespace postern::local {

/// What the names of messages are made of.
struct MaildirNames {
  std::string host;
  pid_t pid = 0;
  std::function<std::int64_t()> now;
  std::function<void(std::chrono::seconds)> pause;  // before another try at a name in use
  unsigned count = 0;                               // deliveries begun so far

  /// This host, this process, the real clock.
  static MaildirNames of_this_process();
  std::string next();
};

/// `directory` ends in '/'. `head` (Return-Path and Delivered-To) stands before the message.
Outcome deliver_to_maildir(const std::string& directory, std::string_view head,
                           const Message& message, MaildirNames& names);

}  // namespace postern::local

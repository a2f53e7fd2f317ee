// Names of messages in a Maildir: "TIME.PID.HOST" (cr.yp.to/proto/maildir.html), which no two
// deliveries may share. Described in docs/wire/maildir.md.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace postern::wire {

/// What makes a delivery unique: one process delivers its n-th message to this host's Maildirs.
struct MaildirDelivery {
  std::int64_t time = 0;  // seconds since 1970
  pid_t pid = 0;
  unsigned count = 0;  // deliveries this process has begun before this one
};

/// "1700000000.4711.mail.example.org"; from the second delivery of a process on,
/// "1700000000.4711_1.mail.example.org". In the host name '/' becomes "\057" and ':' "\072",
/// because the first ends a file's name and the second begins a message's flags.
std::string format_maildir_name(const MaildirDelivery& delivery, std::string_view host);

/// The part of a file's name that stays when readers add flags: up to the first ':'.
std::string_view unique_maildir_part(std::string_view file_name);

}  // namespace postern::wire

// The Received field an SMTP server puts on top of a message (RFC 5321 4.4), in qmail's form.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace postern::mail {

struct SmtpTrace {
  std::string remote_host;          // what the peer's address resolves to, or "unknown"
  std::optional<std::string> helo;  // what it calls itself; shown where it differs from the above
  std::optional<std::string> info;  // who it says, or has proved, to be: ident or the login
  std::string remote_ip;
  std::string local;         // our name
  std::string protocol;      // "SMTP", "ESMTP", "ESMTPA" (RFC 3848)
  std::int64_t seconds = 0;  // since 1970, UTC
};

/// The whole field, two lines with their LF. What strangers chose is made safe with '?'.
std::string format_smtp_received(const SmtpTrace& trace);

}  // namespace postern::mail

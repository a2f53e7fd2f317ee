// What the administrator should know, in the log.
#pragma once

#include <string_view>

namespace postern::smtpd {

/// The descriptor that log lines, and the output of programs we start, go to: 2, or -1 where that
/// is the client's own connection, as inetd has it.
int log_fd();

/// "qmail-smtpd: warning: WHAT" on log_fd().
void log_warning(std::string_view what);

}  // namespace postern::smtpd

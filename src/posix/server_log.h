// The log of a server that inetd may have started, with the client on descriptor 2 as well as 1.
#pragma once

#include <string_view>

namespace postern {

/// The descriptor that log lines, and the output of programs we start, go to: 2, or -1 where that
/// is the client's own connection.
int log_fd();

/// "NAME: warning: WHAT" on log_fd().
void log_warning(std::string_view what);

}  // namespace postern

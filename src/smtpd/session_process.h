// What becomes of the copy of qmail-smtp-server that is made for a connection.
#pragma once

#include <string>

#include "posix/fd.h"
#include "smtpd/server_options.h"

namespace postern::smtpd {

/// Lets go of all that is the server's, sets the environment that tcpserver would have set, and is
/// qmail-smtpd from then on. `orders`: see serve_smtp().
[[noreturn]] void become_session(Fd connection, int orders, const ServerOptions& options);

/// A line of the log in tcpserver's words: whatever reads the logs of an SMTP service knows them.
void log_line(const std::string& text);

}  // namespace postern::smtpd

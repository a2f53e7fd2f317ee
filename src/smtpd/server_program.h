// qmail-smtp-server whole: options, the socket, giving up root, the server.
#pragma once

#include <string>
#include <vector>

namespace postern::smtpd {

/// `command` is the whole command line. Exit code 100 if used wrongly, 111 if it cannot serve.
int run_smtp_server(const std::vector<std::string>& command);

}  // namespace postern::smtpd

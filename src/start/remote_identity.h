// Who is on the other end of a connection, as the other end and DNS have it.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace postern::start {

/// Asks the remote host whose the connection is (RFC 1413). Nothing: no answer, or no user.
std::optional<std::string> ask_ident(const sockaddr_storage& local, const sockaddr_storage& remote,
                                     std::chrono::seconds timeout, in_port_t ident_port = 113);
/// The user of one reply line ("6193, 23 : USERID : UNIX : joe").
std::optional<std::string> parse_ident_reply(std::string_view line);

/// The name DNS has for an address, in lower case; "softdnserror" if it may have one later.
std::optional<std::string> find_host_name(const sockaddr_storage& address);

}  // namespace postern::start

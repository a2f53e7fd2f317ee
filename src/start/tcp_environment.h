// The TCP* variables by which tcp-env (and tcpserver) tell a program who is on the other end of
// descriptor 0. cr.yp.to/proto/ucspi.txt and its TCP protocol; IPv6 as ucspi-tcp-ipv6 has it.
#pragma once

#include <netinet/in.h>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::start {

/// One end of a connection.
struct TcpEnd {
  std::string ip;      // "192.0.2.1" (also for ::ffff:192.0.2.1) or "2001:db8::1"
  std::string port;    // decimal
  bool is_v6 = false;  // and not IPv4 in disguise
};
/// Nothing: not an Internet address.
std::optional<TcpEnd> describe_end(const sockaddr_storage& address);

/// What is known of a connection; what is not stays empty and its variable is unset.
struct TcpConnection {
  std::optional<TcpEnd> local;
  std::optional<TcpEnd> remote;
  std::optional<std::string> local_host;   // lower case
  std::optional<std::string> remote_host;  // lower case; "softdnserror" when DNS could not say
  std::optional<std::string> remote_info;
};

struct Setting {
  std::string name;
  std::optional<std::string> value;  // absent: to be unset
  bool operator==(const Setting&) const = default;
};
std::vector<Setting> tcp_settings(const TcpConnection& connection);

/// Asks the remote host whose the connection is (RFC 1413). Nothing: no answer, or no user.
std::optional<std::string> ask_ident(const sockaddr_storage& local, const sockaddr_storage& remote,
                                     std::chrono::seconds timeout, in_port_t ident_port = 113);
/// The user of one reply line ("6193, 23 : USERID : UNIX : joe").
std::optional<std::string> parse_ident_reply(std::string_view line);

/// The name DNS has for an address, in lower case; "softdnserror" if it may have one later.
std::optional<std::string> find_host_name(const sockaddr_storage& address);

}  // namespace postern::start

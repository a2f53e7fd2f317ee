// The TCP* variables by which tcpserver, tcp-env and qmail-smtp-server tell a program who is on the
// other end of descriptor 0. cr.yp.to/proto/ucspi.txt and its TCP protocol; IPv6 as ucspi-tcp-ipv6
// has it.
#pragma once

#include <sys/socket.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::wire {

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

/// Sets and unsets them in our own environment.
void apply(const std::vector<Setting>& settings);

/// Sets and unsets one in another environment, of NAME=VALUE entries.
void apply(const Setting& setting, std::vector<std::string>& environment);

/// A setting as a word: NAME=VALUE, or NAME for one to be unset.
std::string format_setting(const Setting& setting);
Setting parse_setting(std::string_view word);

}  // namespace postern::wire

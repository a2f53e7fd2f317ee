// The command line of qmail-smtp-server: tcpserver's options, the address, and the arguments of
// qmail-smtpd where tcpserver has the program.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace postern::smtpd {

/// What -m is where qmail-smtpd offers no AUTH. Where it has arguments, and may, it is 1: no
/// password comes to where somebody else has been.
inline constexpr unsigned default_most_clients = 100;

struct ServerOptions {
  unsigned most_sessions = 40;            // -c
  unsigned most_clients = 0;              // -m: of one address that a process serves in turn
  int backlog = 20;                       // -b: connections that may wait for us
  std::string rules;                      // -x, a cdb file; empty: everybody may connect
  std::optional<std::string> local_host;  // -l, $TCPLOCALHOST
  std::optional<uid_t> uid;               // -u
  std::optional<gid_t> gid;               // -g
  bool logs_connections = false;          // -v
  std::string host;                       // where to listen; "0": everywhere
  std::uint16_t port = 0;
  std::vector<std::string> session;  // qmail-smtpd's arguments
};

/// `arguments` without the program's name. -H and -R, by which tcpserver asks nobody about a
/// client, change nothing. Nothing: used wrongly.
std::optional<ServerOptions> parse_server_options(std::span<const std::string> arguments);

}  // namespace postern::smtpd

// The two ends of a connection, as tcpserver or tcp-env tell a server in its environment.
#pragma once

#include <optional>
#include <string>

namespace postern::wire {

struct Peer {
  std::string remote_host;  // "unknown" where there is none
  std::string remote_ip;
  std::optional<std::string> remote_info;  // ident's answer; after AUTH, the user
  std::string local_name;
};

Peer read_peer();

}  // namespace postern::wire

#include "wire/peer.h"

#include "posix/environment.h"

namespace postern::wire {

Peer read_peer() {
  const auto local_ip = environment_variable("TCPLOCALIP").value_or("unknown");
  return {.remote_host = environment_variable("TCPREMOTEHOST").value_or("unknown"),
          .remote_ip = environment_variable("TCPREMOTEIP").value_or("unknown"),
          .remote_info = environment_variable("TCPREMOTEINFO"),
          .local_name = environment_variable("TCPLOCALHOST").value_or(local_ip)};
}

}  // namespace postern::wire

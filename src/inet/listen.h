// Listening for TCP connections.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "posix/fd.h"

namespace postern::inet {

/// A non-blocking socket on which connections to `host` and `port` come in, of which `backlog` may
/// wait. `host` is an address; "0" stands for all of this machine, IPv4 and, where there is any,
/// IPv6. Error: `host` is no address, or the port is taken or needs more privilege.
Result<Fd> listen_on(std::string_view host, std::uint16_t port, int backlog);

}  // namespace postern::inet

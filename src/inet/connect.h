// Opening TCP connections.
#pragma once

#include <cstdint>

#include "base/error.h"
#include "inet/address.h"
#include "posix/clock.h"
#include "posix/fd.h"

namespace postern::inet {

/// A non-blocking socket, connected, with TCP_NODELAY (a reply must not wait for an acknowledgement
/// of the command before it). Error ETIMEDOUT: nobody answered before the deadline.
Result<Fd> connect_to(const IpAddress& address, std::uint16_t port, Deadline deadline);

}  // namespace postern::inet

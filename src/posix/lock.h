// Exclusive locks on whole files (flock, as qmail takes them), held until the descriptor is closed.
#pragma once

#include "base/error.h"
#include "posix/clock.h"

namespace postern {

/// Does not wait: error EWOULDBLOCK when somebody else holds it.
Status try_lock(int fd);
/// Waits; error ETIMEDOUT when the deadline passes first.
Status lock(int fd, Deadline deadline);

}  // namespace postern

#include "posix/lock.h"

#include <poll.h>
#include <sys/file.h>

namespace postern {

Status try_lock(int fd) {
  while (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EINTR) return system_failure("unable to lock");
  }
  return {};
}

Status lock(int fd, Deadline deadline) {
  // flock has no time limit of its own; asking every 20 ms costs less than an alarm's handler.
  constexpr int pause = 20;
  for (;;) {
    auto locked = try_lock(fd);
    if (locked || locked.error().code != EWOULDBLOCK) return locked;
    if (deadline.passed()) return failure("unable to lock", ETIMEDOUT);
    ::poll(nullptr, 0, pause);
  }
}

}  // namespace postern

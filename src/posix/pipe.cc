#include "posix/pipe.h"

#include <fcntl.h>

namespace postern {

Result<Pipe> make_pipe() {
  int fds[2];
  if (::pipe2(fds, O_CLOEXEC) != 0) return system_failure("unable to make a pipe");
  return Pipe{Fd(fds[0]), Fd(fds[1])};
}

Status set_nonblocking(int fd) {
  const int flags = ::fcntl(fd, F_GETFL);
  if (flags < 0 || ::fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0) {
    return system_failure("unable to make a descriptor non-blocking");
  }
  return {};
}

}  // namespace postern

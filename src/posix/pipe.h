// Pipes, close-on-exec at both ends.
#pragma once

#include "base/error.h"
#include "posix/fd.h"

namespace postern {

struct Pipe {
  Fd read;
  Fd write;
};

Result<Pipe> make_pipe();
/// O_NONBLOCK on the open file description (shared with every copy of the descriptor).
Status set_nonblocking(int fd);

}  // namespace postern

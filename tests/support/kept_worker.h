// What a program that may stay is started with.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <string>

#include "posix/environment.h"
#include "wire/kept_worker.h"

namespace postern::test {

/// In a forked child: descriptor 1 is `output`, wire::kept_worker_fd is `socket`, the environment
/// says so, and nothing above them is open.
inline void become_kept_worker(int output, int socket) {
  set_environment_variable(wire::kept_worker_variable, std::to_string(wire::kept_worker_fd));
  const int aside = ::fcntl(socket, F_DUPFD, 100);
  ::dup2(output, 1);
  ::dup2(aside, wire::kept_worker_fd);
  ::close_range(wire::kept_worker_fd + 1, ~0U, 0);
}

}  // namespace postern::test

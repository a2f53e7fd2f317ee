#include "inet/connect.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include "posix/io.h"

namespace postern::inet {
namespace {

// 0 or the errno with which an asynchronous connect() has ended.
int connect_outcome(int fd) {
  int code = 0;
  socklen_t size = sizeof code;
  return ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &code, &size) == 0 ? code : errno;
}

}  // namespace

Result<Fd> connect_to(const IpAddress& address, std::uint16_t port, Deadline deadline) {
  const SocketAddress peer = socket_address(address, port);
  Fd fd(::socket(peer.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return system_failure("unable to make a socket");
  const int on = 1;
  ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (::connect(fd.get(), peer.generic(), peer.size) == 0) return fd;
  // An interrupted connect() goes on in the background, as one that would block does.
  if (errno != EINPROGRESS && errno != EINTR) return system_failure("unable to connect");
  if (auto ready = wait_for(fd.get(), POLLOUT, deadline); !ready) {
    return std::unexpected(ready.error());
  }
  if (const int code = connect_outcome(fd.get()); code != 0) {
    return failure("unable to connect", code);
  }
  return fd;
}

}  // namespace postern::inet

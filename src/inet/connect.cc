#include "inet/connect.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <cstring>

#include "posix/io.h"

namespace postern::inet {
namespace {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;
};

SocketAddress socket_address(const IpAddress& address, std::uint16_t port) {
  SocketAddress result;
  if (address.is_v4()) {
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    std::memcpy(&v4.sin_addr, address.bytes().data(), sizeof v4.sin_addr);
    std::memcpy(&result.storage, &v4, result.size = sizeof v4);
  } else {
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    std::memcpy(&v6.sin6_addr, address.bytes().data(), sizeof v6.sin6_addr);
    std::memcpy(&result.storage, &v6, result.size = sizeof v6);
  }
  return result;
}

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
  const auto* generic = reinterpret_cast<const sockaddr*>(&peer.storage);
  if (::connect(fd.get(), generic, peer.size) == 0) return fd;
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

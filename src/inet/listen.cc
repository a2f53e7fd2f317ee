#include "inet/listen.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstring>
#include <string>

#include "inet/address.h"

namespace postern::inet {
namespace {

Result<Fd> listen_at(const sockaddr* address, socklen_t size, int backlog,
                     const std::string& where) {
  Fd fd(::socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return system_failure("unable to make a socket");
  const int on = 1;
  const int off = 0;
  // A server that is started again need not wait for the connections of the one before.
  (void)::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (address->sa_family == AF_INET6) {
    (void)::setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
  }
  if (::bind(fd.get(), address, size) != 0) return system_failure("unable to bind to " + where);
  if (::listen(fd.get(), backlog) != 0) return system_failure("unable to listen on " + where);
  return fd;
}

Result<Fd> listen_v4(std::string_view bytes, std::uint16_t port, int backlog,
                     const std::string& where) {
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  v4.sin_port = htons(port);
  std::memcpy(&v4.sin_addr, bytes.data(), bytes.size());
  return listen_at(reinterpret_cast<const sockaddr*>(&v4), sizeof v4, backlog, where);
}

Result<Fd> listen_v6(std::string_view bytes, std::uint16_t port, int backlog,
                     const std::string& where) {
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(port);
  std::memcpy(&v6.sin6_addr, bytes.data(), bytes.size());
  return listen_at(reinterpret_cast<const sockaddr*>(&v6), sizeof v6, backlog, where);
}

}  // namespace

Result<Fd> listen_on(std::string_view host, std::uint16_t port, int backlog) {
  const std::string where = std::string(host) + " port " + std::to_string(port);
  if (host == "0") {
    auto both = listen_v6(std::string(16, '\0'), port, backlog, where);
    const bool no_v6 =
        !both && (both.error().code == EAFNOSUPPORT || both.error().code == EADDRNOTAVAIL);
    return no_v6 ? listen_v4(std::string(4, '\0'), port, backlog, where) : std::move(both);
  }
  const auto address = parse_address(host);
  if (!address) return failure("unable to listen on " + std::string(host) + ": not an address");
  return address->is_v4() ? listen_v4(address->bytes(), port, backlog, where)
                          : listen_v6(address->bytes(), port, backlog, where);
}

}  // namespace postern::inet

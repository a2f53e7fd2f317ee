#include "inet/listen.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <string>

#include "inet/address.h"

namespace postern::inet {
namespace {

Result<Fd> listen_at(const IpAddress& address, std::uint16_t port, int backlog,
                     const std::string& where) {
  const SocketAddress ours = socket_address(address, port);
  Fd fd(::socket(ours.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return system_failure("unable to make a socket");
  const int on = 1;
  const int off = 0;
  // A server that is started again need not wait for the connections of the one before.
  (void)::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (!address.is_v4()) (void)::setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
  if (::bind(fd.get(), ours.generic(), ours.size) != 0) {
    return system_failure("unable to bind to " + where);
  }
  if (::listen(fd.get(), backlog) != 0) return system_failure("unable to listen on " + where);
  return fd;
}

}  // namespace

Result<Fd> listen_on(std::string_view host, std::uint16_t port, int backlog) {
  const std::string where = std::string(host) + " port " + std::to_string(port);
  if (host == "0") {
    auto both = listen_at(*parse_address("::"), port, backlog, where);
    const bool no_v6 =
        !both && (both.error().code == EAFNOSUPPORT || both.error().code == EADDRNOTAVAIL);
    return no_v6 ? listen_at(*parse_address("0.0.0.0"), port, backlog, where) : std::move(both);
  }
  const auto address = parse_address(host);
  if (!address) return failure("unable to listen on " + std::string(host) + ": not an address");
  return listen_at(*address, port, backlog, where);
}

}  // namespace postern::inet

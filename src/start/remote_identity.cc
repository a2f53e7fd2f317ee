#include "start/remote_identity.h"

#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>

#include <cstring>

#include "base/ascii.h"
#include "posix/fd.h"
#include "posix/io.h"

namespace postern::start {
namespace {

constexpr std::size_t most_ident_bytes = 1000;  // RFC 1413 section 4: longer replies are not ours
constexpr std::string_view soft_error = "softdnserror";

socklen_t size_of(const sockaddr_storage& address) {
  return address.ss_family == AF_INET6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in);
}

const sockaddr* generic(const sockaddr_storage& address) {
  return reinterpret_cast<const sockaddr*>(&address);
}

in_port_t port_of(const sockaddr_storage& address) {
  return ntohs(address.ss_family == AF_INET6
                   ? reinterpret_cast<const sockaddr_in6&>(address).sin6_port
                   : reinterpret_cast<const sockaddr_in&>(address).sin_port);
}

sockaddr_storage with_port(sockaddr_storage address, in_port_t port) {
  if (address.ss_family == AF_INET6) {
    reinterpret_cast<sockaddr_in6&>(address).sin6_port = htons(port);
  } else {
    reinterpret_cast<sockaddr_in&>(address).sin_port = htons(port);
  }
  return address;
}

// Connected to the ident port, from the address the connection itself has here; nothing: refused.
Fd connect_to_ident(const sockaddr_storage& local, const sockaddr_storage& remote,
                    in_port_t ident_port, Deadline deadline) {
  Fd fd(::socket(remote.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return {};
  const sockaddr_storage from = with_port(local, 0);
  const sockaddr_storage to = with_port(remote, ident_port);
  if (::bind(fd.get(), generic(from), size_of(from)) != 0) return {};
  if (::connect(fd.get(), generic(to), size_of(to)) != 0 && errno != EINPROGRESS) return {};
  if (!wait_for(fd.get(), POLLOUT, deadline)) return {};
  return fd;
}

std::optional<std::string> read_ident_line(int fd, Deadline deadline) {
  std::string line;
  while (!line.contains('\n')) {
    char buffer[512];
    const auto count = read_some(fd, buffer, deadline);
    if (!count || *count == 0 || line.size() + *count > most_ident_bytes) return std::nullopt;
    line.append(buffer, *count);
  }
  return line.substr(0, line.find('\n'));
}

}  // namespace

std::optional<std::string> ask_ident(const sockaddr_storage& local, const sockaddr_storage& remote,
                                     std::chrono::seconds timeout, in_port_t ident_port) {
  const Deadline deadline = Deadline::after(timeout);
  const Fd fd = connect_to_ident(local, remote, ident_port, deadline);
  if (!fd) return std::nullopt;
  const std::string query =
      std::to_string(port_of(remote)) + " , " + std::to_string(port_of(local)) + "\r\n";
  if (!write_all(fd.get(), query, deadline)) return std::nullopt;
  const auto line = read_ident_line(fd.get(), deadline);
  return line ? parse_ident_reply(*line) : std::nullopt;
}

std::optional<std::string> parse_ident_reply(std::string_view line) {
  // RFC 1413 section 4: ports, "USERID", system (and character set), user; three colons.
  const std::size_t first = line.find(':');
  if (first == std::string_view::npos) return std::nullopt;
  const std::size_t second = line.find(':', first + 1);
  if (second == std::string_view::npos) return std::nullopt;
  if (!equal_ignoring_case(trim(line.substr(first + 1, second - first - 1)), "USERID")) {
    return std::nullopt;
  }
  const std::size_t third = line.find(':', second + 1);
  if (third == std::string_view::npos) return std::nullopt;
  std::string_view user = line.substr(third + 1);
  if (user.ends_with('\r')) user.remove_suffix(1);
  user = trim(user);
  if (user.empty() || user.contains('\0')) return std::nullopt;
  return std::string(user);
}

std::optional<std::string> find_host_name(const sockaddr_storage& address) {
  char name[NI_MAXHOST];
  const int result =
      ::getnameinfo(generic(address), size_of(address), name, sizeof name, nullptr, 0, NI_NAMEREQD);
  if (result == EAI_AGAIN) return std::string(soft_error);
  if (result != 0) return std::nullopt;
  return lower(name);
}

}  // namespace postern::start

// Internet addresses, IPv4 and IPv6, as values: what SMTP connects to and what counts as ourselves.
#pragma once

#include <sys/socket.h>

#include <compare>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace postern::inet {

/// An IPv4 address mapped into IPv6 (::ffff:192.0.2.1) is the IPv4 address: a loop cannot hide
/// behind another spelling.
class IpAddress {
 public:
  /// Four or sixteen bytes, as DNS holds them; any other number is our own mistake.
  static IpAddress from_bytes(std::string_view bytes);

  [[nodiscard]] bool is_v4() const { return bytes_.size() == 4; }
  /// Four or sixteen bytes, most significant first.
  [[nodiscard]] std::string_view bytes() const { return bytes_; }
  auto operator<=>(const IpAddress&) const = default;

 private:
  explicit IpAddress(std::string_view bytes) : bytes_(bytes) {}
  std::string bytes_;  // at most 16 bytes: short strings are held without allocating
};

/// "192.0.2.1" (four decimal numbers) or "2001:db8::1".
std::optional<IpAddress> parse_address(std::string_view text);
std::string format_address(const IpAddress& address);

/// As the socket calls take it.
struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;
  [[nodiscard]] const sockaddr* generic() const {
    return reinterpret_cast<const sockaddr*>(&storage);
  }
};
SocketAddress socket_address(const IpAddress& address, std::uint16_t port);

/// RFC 5321 4.1.3: "[192.0.2.1]" or "[IPv6:2001:db8::1]"; "[2001:db8::1]" too.
std::optional<IpAddress> parse_address_literal(std::string_view text);

/// Whether mail sent to `address` would come back to this host: one of `own`, or what every host
/// takes as itself: 0.0.0.0/8, 127.0.0.0/8, :: and ::1.
bool is_ourselves(const IpAddress& address, std::span<const IpAddress> own);

/// The addresses of this host's interfaces.
Result<std::vector<IpAddress>> read_own_addresses();

}  // namespace postern::inet

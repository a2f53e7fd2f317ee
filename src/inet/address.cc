#include "inet/address.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netinet/in.h>

#include <algorithm>
#include <cstring>
#include <memory>

#include "base/ascii.h"

namespace postern::inet {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view mapped_prefix = "\0\0\0\0\0\0\0\0\0\0\xff\xff"sv;
constexpr std::string_view any_v6 = "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"sv;
constexpr std::string_view loopback_v6 = "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1"sv;

std::string_view bytes_of(const auto& address) {
  return {reinterpret_cast<const char*>(&address), sizeof address};
}

std::optional<IpAddress> address_of(const sockaddr* socket_address) {
  if (socket_address == nullptr) return std::nullopt;
  if (socket_address->sa_family == AF_INET) {
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(socket_address);
    return IpAddress::from_bytes(bytes_of(v4->sin_addr));
  }
  if (socket_address->sa_family == AF_INET6) {
    const auto* v6 = reinterpret_cast<const sockaddr_in6*>(socket_address);
    return IpAddress::from_bytes(bytes_of(v6->sin6_addr));
  }
  return std::nullopt;
}

}  // namespace

IpAddress IpAddress::from_bytes(std::string_view bytes) {
  if (bytes.size() == 16 && bytes.starts_with(mapped_prefix)) return IpAddress(bytes.substr(12));
  if (bytes.size() != 4 && bytes.size() != 16) bug("an IP address has 4 or 16 bytes");
  return IpAddress(bytes);
}

std::optional<IpAddress> parse_address(std::string_view text) {
  if (text.contains('\0')) return std::nullopt;
  const std::string terminated(text);
  in_addr v4{};
  if (::inet_pton(AF_INET, terminated.c_str(), &v4) == 1)
    return IpAddress::from_bytes(bytes_of(v4));
  in6_addr v6{};
  if (::inet_pton(AF_INET6, terminated.c_str(), &v6) == 1)
    return IpAddress::from_bytes(bytes_of(v6));
  return std::nullopt;
}

std::string format_address(const IpAddress& address) {
  char text[INET6_ADDRSTRLEN] = "";
  ::inet_ntop(address.is_v4() ? AF_INET : AF_INET6, address.bytes().data(), text, sizeof text);
  return text;
}

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

std::optional<IpAddress> parse_address_literal(std::string_view text) {
  if (!text.starts_with('[') || !text.ends_with(']') || text.size() < 2) return std::nullopt;
  text = text.substr(1, text.size() - 2);
  constexpr std::string_view tag = "IPv6:";
  if (!starts_with_ignoring_case(text, tag)) return parse_address(text);
  text.remove_prefix(tag.size());
  return text.contains(':') ? parse_address(text) : std::nullopt;
}

bool is_ourselves(const IpAddress& address, std::span<const IpAddress> own) {
  const std::string_view bytes = address.bytes();
  if (address.is_v4() && (bytes.front() == 0 || bytes.front() == 127)) return true;
  if (bytes == any_v6 || bytes == loopback_v6) return true;
  return std::ranges::find(own, address) != own.end();
}

Result<std::vector<IpAddress>> read_own_addresses() {
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0) return system_failure("unable to list this host's addresses");
  const std::unique_ptr<ifaddrs, void (*)(ifaddrs*)> owner(list, ::freeifaddrs);
  std::vector<IpAddress> addresses;
  for (const ifaddrs* item = list; item != nullptr; item = item->ifa_next) {
    if (const auto address = address_of(item->ifa_addr)) addresses.push_back(*address);
  }
  return addresses;
}

}  // namespace postern::inet

#include "smtpd/own_addresses.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netinet/in.h>

#include <memory>

#include "base/ascii.h"

namespace postern::smtpd {
namespace {

// An address in network order: 4 or 16 bytes; nothing for what is none.
std::string parse_literal(std::string_view literal) {
  if (!literal.starts_with('[') || !literal.ends_with(']')) return {};
  std::string text(literal.substr(1, literal.size() - 2));
  const bool v6 = starts_with_ignoring_case(text, "IPv6:");  // RFC 5321 4.1.3
  if (v6) text.erase(0, 5);
  std::string bytes(v6 ? sizeof(in6_addr) : sizeof(in_addr), '\0');
  if (::inet_pton(v6 ? AF_INET6 : AF_INET, text.c_str(), bytes.data()) != 1) return {};
  return bytes;
}

std::string_view bytes_of(const sockaddr* address) {
  if (address == nullptr) return {};
  if (address->sa_family == AF_INET) {
    const auto& ip = reinterpret_cast<const sockaddr_in*>(address)->sin_addr;
    return {reinterpret_cast<const char*>(&ip), sizeof ip};
  }
  if (address->sa_family == AF_INET6) {
    const auto& ip = reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr;
    return {reinterpret_cast<const char*>(&ip), sizeof ip};
  }
  return {};
}

}  // namespace

Result<bool> OwnAddresses::are_named_by(std::string_view literal) {
  const std::string wanted = parse_literal(literal);
  if (wanted.empty()) return false;
  if (wanted.find_first_not_of('\0') == std::string::npos) return true;
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0) return system_failure("unable to list our network addresses");
  const std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> owner(list, ::freeifaddrs);
  for (const ifaddrs* item = list; item != nullptr; item = item->ifa_next) {
    if (bytes_of(item->ifa_addr) == wanted) return true;
  }
  return false;
}

}  // namespace postern::smtpd

#include "send/routing.h"

#include <optional>

#include "mail/address.h"

namespace postern::send {
namespace {

// Turns user%host@here into user@host for as long as here allows it.
void undo_percents(std::string& address, const control::HostSet& percenthack) {
  for (;;) {
    const std::size_t at = address.rfind('@');
    if (!percenthack.contains(std::string_view(address).substr(at + 1))) return;
    const std::size_t percent = std::string_view(address).substr(0, at).rfind('%');
    if (percent == std::string::npos) return;
    address.resize(at);
    address[percent] = '@';
  }
}

// The user whom a host is given to, looked up by the host, its parent domains and the empty key.
// An empty value is an exception: the host is nobody's.
std::optional<std::string_view> user_of_host(std::string_view host,
                                             const control::HostMap& virtualdomains) {
  for (const std::string_view key : control::host_keys(host, true)) {
    if (const auto user = virtualdomains.find(key)) {
      return user->empty() ? std::nullopt : user;
    }
  }
  return std::nullopt;
}

std::optional<std::string_view> user_of_address(std::string_view address,
                                                const control::HostMap& virtualdomains) {
  if (virtualdomains.empty()) return std::nullopt;
  if (const auto user = virtualdomains.find(address)) {
    return user->empty() ? std::nullopt : user;
  }
  return user_of_host(mail::split_address(address).host, virtualdomains);
}

}  // namespace

Route route(std::string_view recipient, const RoutingRules& rules) {
  std::string address(recipient);
  if (!address.contains('@')) address.append("@").append(rules.envnoathost);
  undo_percents(address, rules.percenthack);
  if (rules.locals.contains(mail::split_address(address).host)) {
    return {Channel::local, std::move(address)};
  }
  if (const auto user = user_of_address(address, rules.virtualdomains)) {
    return {Channel::local, std::string(*user).append("-").append(address)};
  }
  return {Channel::remote, std::move(address)};
}

std::string_view without_virtual_prefix(std::string_view address, const RoutingRules& rules) {
  if (rules.virtualdomains.empty() || !address.contains('@')) return address;
  // The prefix may hold hyphens of its own; what it was added to decides.
  const std::string_view local = mail::split_address(address).local;
  for (std::size_t dash = local.find('-'); dash != std::string_view::npos;
       dash = local.find('-', dash + 1)) {
    const std::string_view rest = address.substr(dash + 1);
    if (user_of_address(rest, rules.virtualdomains) == address.substr(0, dash)) return rest;
  }
  return address;
}

}  // namespace postern::send

#include "remote/route.h"

#include <string>
#include <vector>

#include "base/ascii.h"
#include "mail/address.h"

namespace postern::remote {
namespace {

// The line as a report may show it. Where it mixes both forms, a blank counts as well as a bar.
std::string without_password(std::string_view key, std::string_view value) {
  value = trim(value);
  const std::size_t end = value.find_first_of(" \t|");
  const std::string_view hidden = end == std::string_view::npos ? "" : "...";
  return std::string(key).append(":").append(value.substr(0, end)).append(hidden);
}

Result<std::optional<Route>> parse_line(std::string_view file, std::string_view key,
                                        std::string_view value) {
  auto route = inet::parse_route(value);
  if (route) return std::move(*route);
  return failure("control/" + std::string(file) + ", line \"" + without_password(key, value) +
                 "\": " + route.error().what);
}

// The whole sender, then what begins at each of its dots and at its '@', then the empty key.
std::vector<std::string_view> sender_keys(std::string_view sender) {
  std::vector<std::string_view> keys;
  if (!sender.empty()) keys.push_back(sender);
  for (std::size_t i = 1; i < sender.size(); ++i) {
    if (sender[i] == '.' || sender[i] == '@') keys.push_back(sender.substr(i));
  }
  keys.emplace_back();
  return keys;
}

}  // namespace

Result<std::optional<Route>> find_route(const control::HostMap& authsenders,
                                        const control::HostMap& smtproutes, std::string_view sender,
                                        std::string_view host) {
  const std::string quoted = mail::quote_address(sender);
  for (const std::string_view key : sender_keys(quoted)) {
    if (const auto value = authsenders.find(key)) return parse_line("authsenders", key, *value);
  }
  for (const std::string_view key : control::host_keys(host, true)) {
    if (const auto value = smtproutes.find(key)) return parse_line("smtproutes", key, *value);
  }
  return std::nullopt;
}

}  // namespace postern::remote

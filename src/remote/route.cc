#include "remote/route.h"

#include <vector>

#include "base/ascii.h"
#include "base/base64.h"
#include "base/integers.h"
#include "inet/address.h"
#include "inet/dns.h"
#include "mail/address.h"

namespace postern::remote {
namespace {

struct Pieces {
  std::string_view target;  // relay[:port]
  std::string_view user;
  std::string_view password;
  bool has_credentials = false;
  bool in_base64 = false;
};

std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  for (text = trim(text); !text.empty(); text = trim(text)) {
    words.push_back(text.substr(0, text.find_first_of(" \t")));
    text.remove_prefix(words.back().size());
  }
  return words;
}

Result<Pieces> split_plain(std::string_view value, std::size_t bar) {
  const std::string_view rest = value.substr(bar + 1);
  const std::size_t second = rest.find('|');
  if (second == std::string_view::npos || second == 0 || second + 1 == rest.size()) {
    return failure("after the relay it needs both: |user|password");
  }
  return Pieces{trim(value.substr(0, bar)), rest.substr(0, second), rest.substr(second + 1), true,
                false};
}

Result<Pieces> split(std::string_view value) {
  // A '|' is no character of base64, nor of a relay: it can only begin the plain form.
  if (const std::size_t bar = value.find('|'); bar != std::string_view::npos) {
    return split_plain(value, bar);
  }
  const auto words = words_of(value);
  switch (words.size()) {
    case 0:
      return Pieces{};
    case 1:
      return Pieces{words[0], {}, {}, false, false};
    case 3:
      return Pieces{words[0], words[1], words[2], true, true};
    default:
      return failure("after the relay it needs user and password, both in base64, or nothing");
  }
}

bool is_relay_name(const std::string& relay) {
  return inet::is_host_name(relay) || inet::parse_address(relay) ||
         inet::parse_address_literal(relay);
}

Status parse_target(std::string_view target, Route& route) {
  const bool is_v6 = inet::parse_address(target) && target.contains(':');
  const std::size_t bracket = target.starts_with('[') ? target.find(']') : 0;
  const std::size_t colon =
      is_v6 ? target.npos : target.find(':', std::min(bracket, target.size()));
  route.relay = target.substr(0, colon);
  if (!route.relay.empty() && !is_relay_name(route.relay)) {
    return failure("the relay is neither a host name nor an address in brackets");
  }
  if (colon == target.npos) return {};
  const auto port = parse_decimal<std::uint16_t>(target.substr(colon + 1));
  if (!port || *port == 0) return failure("the port is not a number from 1 to 65535");
  route.port = *port;
  return {};
}

Result<std::string> decode(std::string_view text, bool in_base64, std::string_view what) {
  auto plain = in_base64 ? parse_base64(text) : std::optional<std::string>(text);
  if (!plain) {
    return failure(std::string("the ").append(what).append(
        " is not base64: write what `printf %s WORD | base64` prints"));
  }
  if (plain->empty() || plain->contains('\0')) {
    return failure(std::string("the ").append(what).append(" is empty or holds a NUL byte"));
  }
  return std::move(*plain);
}

// The line as a report may show it. Where it mixes both forms, a blank counts as well as a bar.
std::string without_password(std::string_view key, std::string_view value) {
  value = trim(value);
  const std::size_t end = value.find_first_of(" \t|");
  const std::string_view hidden = end == std::string_view::npos ? "" : "...";
  return std::string(key).append(":").append(value.substr(0, end)).append(hidden);
}

Result<std::optional<Route>> parse_line(std::string_view file, std::string_view key,
                                        std::string_view value) {
  auto route = parse_route(value);
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

Result<Route> parse_route(std::string_view value) {
  const auto pieces = split(value);
  if (!pieces) return std::unexpected(pieces.error());
  Route route;
  if (auto parsed = parse_target(pieces->target, route); !parsed) {
    return std::unexpected(parsed.error());
  }
  if (!pieces->has_credentials) return route;
  // Without a relay they would be told to whoever a stranger's DNS names.
  if (route.relay.empty()) return failure("credentials need a relay that they are meant for");
  auto user = decode(pieces->user, pieces->in_base64, "user name");
  if (!user) return std::unexpected(user.error());
  auto password = decode(pieces->password, pieces->in_base64, "password");
  if (!password) return std::unexpected(password.error());
  route.credentials = Credentials{std::move(*user), std::move(*password)};
  return route;
}

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

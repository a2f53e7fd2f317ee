#include "inet/route.h"

#include <algorithm>
#include <vector>

#include "base/ascii.h"
#include "base/base64.h"
#include "base/integers.h"
#include "inet/address.h"
#include "inet/dns.h"

namespace postern::inet {
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
  return is_host_name(relay) || parse_address(relay) || parse_address_literal(relay);
}

Status parse_target(std::string_view target, Route& route) {
  const bool is_v6 = parse_address(target) && target.contains(':');
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

}  // namespace postern::inet

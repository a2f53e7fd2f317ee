// A route as control files write it: the relay that mail is to go through, and the credentials that
// it wants. Described in docs/wire/smtproutes.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace postern::inet {

inline constexpr std::uint16_t smtp_port = 25;

struct Credentials {
  std::string user;
  std::string password;

  bool operator==(const Credentials&) const = default;
};

struct Route {
  std::string relay;  // host name, or address in brackets; empty: the recipient's mail exchangers
  std::uint16_t port = smtp_port;
  std::optional<Credentials> credentials;

  bool operator==(const Route&) const = default;
};

/// What stands after the colon of a line: "relay[:port]", then nothing, "|user|password", or user
/// and password in base64 after blanks. Error: says what is wrong with it, never the password.
Result<Route> parse_route(std::string_view value);

}  // namespace postern::inet

// Which relay a message is to go through: control/authsenders by its sender, else
// control/smtproutes by its recipient's host. Described in docs/wire/smtproutes.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "control/host_map.h"

namespace postern::remote {

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

/// Where a message goes that no line speaks of is nothing. Error: the line that applies makes no
/// sense; names the file, the line without its password, and the mend.
Result<std::optional<Route>> find_route(const control::HostMap& authsenders,
                                        const control::HostMap& smtproutes, std::string_view sender,
                                        std::string_view host);

}  // namespace postern::remote

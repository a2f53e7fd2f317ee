// Who may connect, and as what: the rules that tcprules compiles for tcpserver, such as
// /etc/tcp.smtp.cdb. cr.yp.to/ucspi-tcp/tcprules.html; for IPv6 as ucspi-tcp-ipv6 has them.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "control/cdb.h"
#include "wire/tcp_environment.h"

namespace postern::control {

struct AccessRule {
  bool deny = false;
  std::vector<wire::Setting> settings;  // in the environment of whoever serves the client
};

/// A rule as its cdb value holds it: "D" or "+NAME=VALUE", each ended by NUL. What is neither
/// says nothing, as to tcpserver.
AccessRule parse_access_rule(std::string_view value);

/// What the rules are looked for by, first to last: the address whole, then up to each '.' or ':',
/// longest first, then nothing.
std::vector<std::string> access_rule_keys(std::string_view ip);

/// A file of rules, looked at anew when it has changed.
class AccessRules {
 public:
  explicit AccessRules(std::string path) : path_(std::move(path)) {}
  /// The first rule there is for a client of whom the address alone is known. Without one he may
  /// connect. Error: the file cannot be read, or is damaged.
  Result<AccessRule> find(std::string_view ip);

 private:
  Status refresh();

  std::string path_;
  std::string version_;
  std::unique_ptr<Cdb> rules_;
};

}  // namespace postern::control

// Where mail for a host goes (RFC 5321 5.1): its mail exchangers by preference, equal ones in
// random order, each with its addresses; without any, the host's own addresses. No CNAME is
// rewritten.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "inet/address.h"
#include "inet/dns.h"
#include "remote/route.h"

namespace postern::remote {

struct Target {
  inet::IpAddress address;
  std::uint16_t port = smtp_port;

  bool operator==(const Target&) const = default;
};

/// What the search asks of the world.
struct Directory {
  inet::NameService& names;
  std::function<Result<std::vector<inet::IpAddress>>()> own_addresses;
  std::uint32_t random_seed = 0;  // for the order of equal preferences
};

/// Gives the addresses a preference at a time, so that no name is asked for that is not needed.
/// Borrows the directory.
class Destination {
 public:
  /// The mail exchangers of `host`, or the literal address it is.
  static Destination exchangers_of(Directory& directory, const std::string& host);
  /// The addresses of a relay that an administrator has named: no MX, and it may be ourselves.
  static Destination relay(Directory& directory, const Route& route);

  /// The next addresses to try, best first. None: there are no more.
  std::vector<Target> next();
  /// Why next() has never given an address: a message record's letter and text.
  [[nodiscard]] std::string failure() const;

 private:
  explicit Destination(Directory& directory) : directory_(directory) {}
  void find_exchangers(const std::string& host);
  std::vector<std::string> take_best_hosts();
  std::vector<inet::IpAddress> addresses_of(const std::string& host);
  bool is_ourselves(const std::vector<inet::IpAddress>& addresses);

  Directory& directory_;
  bool is_relay_ = false;
  std::uint16_t port_ = smtp_port;
  std::vector<inet::MailExchanger> exchangers_;  // still to be asked for, best first
  std::string failure_;                          // settles the matter
  bool trouble_ = false;                         // a name server did not answer
  bool ourselves_ = false;                       // the best that was left is this host
};

}  // namespace postern::remote

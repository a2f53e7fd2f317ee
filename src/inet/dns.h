// What DNS says of a host: its mail exchangers (RFC 5321 5.1, RFC 7505) and its addresses. Answers
// are parsed by pure functions over their bytes; the resolver of the C library asks the questions,
// follows CNAMEs, and falls back to TCP where an answer is long.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "inet/address.h"

namespace postern::inet {

/// Why there is no answer.
enum class DnsFailure {
  no_such_name,  // NXDOMAIN, or a text that no name server can know
  no_data,       // the name exists, but has no such record
  unusable,      // it has such records, and none that names a host
  temporary,     // no server, a server in trouble, or an answer that lies about its lengths
};

template <class T>
using DnsResult = std::expected<std::vector<T>, DnsFailure>;

struct MailExchanger {
  std::uint16_t preference = 0;  // lower is better
  std::string host;  // empty: the root, which says that the domain takes no mail (RFC 7505)

  bool operator==(const MailExchanger&) const = default;
};

/// The MX records of a whole DNS message. A record whose host name is none is left out; where no
/// other is left, they are unusable.
DnsResult<MailExchanger> parse_mx_answer(std::string_view message);
/// The A and AAAA records of a whole DNS message, in its order.
DnsResult<IpAddress> parse_address_answer(std::string_view message);

/// Letters, digits, '-' and '_' in labels of 1 to 63 bytes, 253 bytes at most, perhaps a final dot:
/// a name that may be asked for. Others would be taken apart differently by each resolver.
bool is_host_name(std::string_view text);

/// Answers questions about names; a test puts its own in this place.
class NameService {
 public:
  NameService() = default;
  NameService(const NameService&) = delete;
  NameService& operator=(const NameService&) = delete;
  virtual ~NameService() = default;

  virtual DnsResult<MailExchanger> mail_exchangers(const std::string& host) = 0;
  /// IPv4 addresses before IPv6 addresses, otherwise in the order of the answer. An error only when
  /// there is no address of either kind.
  virtual DnsResult<IpAddress> addresses(const std::string& host) = 0;
};

/// The name servers of /etc/resolv.conf. Names are taken as complete: no search list, no aliases
/// from files.
std::unique_ptr<NameService> system_name_service();

}  // namespace postern::inet

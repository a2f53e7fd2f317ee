#include "smtpd/own_addresses.h"

#include "inet/address.h"

namespace postern::smtpd {

Result<bool> OwnAddresses::are_named_by(std::string_view literal) {
  const auto address = inet::parse_address_literal(literal);
  if (!address) return false;
  const auto own = inet::read_own_addresses();
  if (!own) return std::unexpected(own.error());
  return inet::is_ourselves(*address, *own);
}

}  // namespace postern::smtpd

#include "smtpd/policy.h"

#include "mail/address.h"

namespace postern::smtpd {

bool AddressList::lists(std::string_view address) const {
  if (lines_.empty()) return false;
  if (lines_.contains(address)) return true;
  const mail::AddressParts parts = mail::split_address(address);
  if (!parts.has_host) return false;
  return lines_.contains(std::string("@").append(parts.host)) ||
         lines_.contains(std::string(parts.local).append("@"));
}

}  // namespace postern::smtpd

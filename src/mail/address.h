// Addresses as envelopes hold them (RFC 5321 without quoting: everything before the last '@' is the
// local part, as it is) and as headers and SMTP commands show them (quoted where needed).
#pragma once

#include <string>
#include <string_view>

namespace postern::mail {

struct AddressParts {
  std::string_view local;  // before the last '@'; all of it when there is none
  std::string_view host;   // after the last '@'
  bool has_host = false;   // whether there was an '@'
};
AddressParts split_address(std::string_view address);

/// The local part as RFC 5321 writes it: as it is when it is a dot-string, else a quoted string
/// with '"', '\\' and line ends escaped.
std::string quote_local_part(std::string_view local);

/// The address with its local part quoted where it must be; the host verbatim.
std::string quote_address(std::string_view address);

/// Variable envelope return path: sender "list-@host-@[]" for recipient "b@d" is "list-b=d@host".
/// Any other sender, or a recipient without '@', leaves the sender as it is.
std::string expand_verp(std::string_view sender, std::string_view recipient);

/// The address that bounces of a VERP sender "list-@host-@[]" go to: "list-@host". Others
/// unchanged.
std::string bounce_address(std::string_view sender);

}  // namespace postern::mail

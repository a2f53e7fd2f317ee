// Address lists of header fields (RFC 5322 section 3.4), and the completion of their addresses that
// qmail-inject does (qmail-header(5)): host names added and made whole, source routes removed,
// commas put where blanks stand between addresses.
//
// Everything else stays as its writer wrote it: phrases, comments and quoting are not touched, and
// lines are folded anew only between addresses. What cannot be understood is an error, never a
// guess about where mail should go; but lists that common software writes (a group without its
// semicolon, semicolons for commas) are understood.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace postern::mail {

/// What is added to addresses.
struct HostDefaults {
  std::string host;         // to an address without a host
  std::string domain;       // to a host name without a dot
  std::string plus_domain;  // to a host name that ends in '+'
};

/// The host name made whole: "cs+" and "silverton" get their domains, "[192.0.2.1]" none.
std::string complete_host(std::string_view host, const HostDefaults& defaults);

struct AddressList {
  std::vector<std::string> parts;      // what commas separate, completed
  std::vector<std::string> addresses;  // as envelopes hold them; "<>" gives none
};
/// Error: text that is not an address list.
Result<AddressList> complete_address_list(std::string_view text, const HostDefaults& defaults);

/// The field "Name: part, part" with lines folded at 78 columns where a comma allows, and a line
/// end.
std::string format_list_field(std::string_view name, const std::vector<std::string>& parts);

}  // namespace postern::mail

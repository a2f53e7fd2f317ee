// control/morercpthosts, the text from which qmail-newmrh makes control/morercpthosts.cdb: one host
// or .domain a line. A cdb key is a name in lower case, its value empty.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace postern::admin {

/// The names, in lower case. Blanks at the end of a line, empty lines and lines that begin with #
/// do not count. Error: "line 3: ...", the first line that no host could match.
std::expected<std::vector<std::string>, std::string> parse_more_hosts(std::string_view text);

/// qmail-newmrh, in the qmail home: at once and durably, or not at all.
Status make_more_hosts_cdb();

}  // namespace postern::admin

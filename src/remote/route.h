// Which relay a message is to go through: control/authsenders by its sender, else
// control/smtproutes by its recipient's host. Described in docs/wire/smtproutes.md.
#pragma once

#include <optional>
#include <string_view>

#include "base/error.h"
#include "control/host_map.h"
#include "inet/route.h"

namespace postern::remote {

using inet::Credentials;
using inet::Route;
using inet::smtp_port;

/// Where a message goes that no line speaks of is nothing. Error: the line that applies makes no
/// sense; names the file, the line without its password, and the mend.
Result<std::optional<Route>> find_route(const control::HostMap& authsenders,
                                        const control::HostMap& smtproutes, std::string_view sender,
                                        std::string_view host);

}  // namespace postern::remote

// instcheck: whether what is installed is what scripts/layout says.
#pragma once

#include <string>
#include <vector>

#include "wire/layout.h"

namespace postern::admin {

/// A line for each thing that differs: missing, of another type, owner, group or mode, or a link
/// to elsewhere. Users and groups are those of /etc/passwd and /etc/group, given as texts.
std::vector<std::string> check_installation(const std::vector<wire::LayoutEntry>& layout,
                                            std::string_view passwd, std::string_view group);

}  // namespace postern::admin

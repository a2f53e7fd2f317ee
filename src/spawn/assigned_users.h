// Whom users/cdb gives a local address to. Format: docs/wire/users.md.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "control/cdb.h"
#include "spawn/local_report.h"
#include "wire/users_cdb.h"

namespace postern::spawning {

/// What users/cdb says of a local address: the whole address first, then prefixes, the longest
/// first; of a prefix's match, the rest of the address (its case kept) is added to the extension.
/// Error: a database that is damaged or was not made by qmail-newu.
Result<std::optional<wire::LocalUser>> find_user(control::Cdb& users, std::string_view local);

/// The same of this file; nothing, too, where there is none. What is wrong with it is
/// said on descriptor 2.
std::expected<std::optional<wire::LocalUser>, LocalExit> find_assigned_user(const std::string& file,
                                                                            std::string_view local);

}  // namespace postern::spawning

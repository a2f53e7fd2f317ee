// Who receives the mail of a local address. users/cdb is asked first, then qmail-getpw. Both are
// done by a process that is qmailp, because the address comes from a stranger and the file and the
// user database are parsed with it; qmail-lspawn, which is root, only reads the six fields of the
// answer. Formats: docs/wire/users.md.
#pragma once

#include <optional>
#include <string>

#include "control/cdb.h"
#include "posix/identity.h"
#include "spawn/channel.h"
#include "wire/users_cdb.h"

namespace postern::spawning {

/// What users/cdb says of a local address: the whole address first, then prefixes, the longest
/// first; of a prefix's match, the rest of the address (its case kept) is added to the extension.
/// Error: a database that is damaged or was not made by qmail-newu.
Result<std::optional<wire::LocalUser>> find_user(control::Cdb& users, std::string_view local);

/// Starts a process that becomes `identity`, answers with wire::format_local_user() and exits 0, or
/// exits with a LocalExit. `home` is the qmail home.
Result<Worker> start_user_lookup(const std::string& home, const Identity& identity,
                                 const std::string& local);

}  // namespace postern::spawning

// Who receives the mail of a local address. users/cdb is asked first, then qmail-getpw. Both are
// done by a process that is qmailp, because the address comes from a stranger and the file and the
// user database are parsed with it; qmail-lspawn, which is root, only reads the six fields of the
// answer. Formats: docs/wire/users.md.
#pragma once

#include <string>

#include "posix/identity.h"
#include "spawn/channel.h"

namespace postern::spawning {

/// Starts a process that becomes `identity`, answers with wire::format_local_user() and exits 0, or
/// exits with a LocalExit. `home` is the qmail home. `may_stay`: its qmail-getpw is offered to stay
/// for further addresses, which are orders of one word.
Result<Worker> start_user_lookup(const std::string& home, const Identity& identity,
                                 const std::string& local, bool may_stay);

}  // namespace postern::spawning

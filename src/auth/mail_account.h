// checkmailuser's decision: accounts of users/mailusers.cdb. Described in docs/wire/mailusers.md.
#pragma once

#include <optional>
#include <string>

#include "auth/login.h"
#include "base/error.h"
#include "wire/checkpassword.h"
#include "wire/mailusers.h"

namespace postern::auth {

/// Looks the account up in HOME/users/mailusers.cdb and checks its password. An account with a
/// {PLAIN} secret takes its password, a CRAM-MD5 digest or an APOP digest; one with a {CRYPT} hash
/// only its password. Error: no or a damaged file.
Result<std::optional<Account>> verify_mail_user(const std::string& qmail_home,
                                                const wire::CheckRequest& request);

/// Whether the request proves knowledge of `secret`. Without a secret: never, and after the same
/// work. `decoy` is a hash, or empty where no account has one.
Result<bool> proves_secret(const wire::CheckRequest& request,
                           const std::optional<wire::Secret>& secret, const std::string& decoy);

}  // namespace postern::auth

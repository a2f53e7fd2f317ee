// qmail-newmailusers: compiles users/mailusers into users/mailusers.cdb. Described in
// docs/wire/mailusers.md.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "auth/system_users.h"
#include "base/error.h"
#include "posix/identity.h"

namespace postern::auth {

/// find_system_user(), or a test's.
using FindUser = std::function<Result<std::optional<SystemUser>>(const std::string& name)>;

/// Who is to own the compiled file. Nothing: whoever we are. Asked once the text has been found
/// good.
using FindOwner = std::function<Result<std::optional<Identity>>()>;

/// Compiles HOME/users/mailusers. The compiled file is readable by its owner alone. Error: the line
/// that makes no sense, by number, and the mend; the old compiled file is then what it was. No
/// message holds any part of a secret.
Status compile_mail_users(const std::string& qmail_home, const FindUser& find_user,
                          const FindOwner& find_owner);

/// The whole program: for root the file is qmaild's, who runs qmail-smtpd and its checker.
Status make_mail_users(const std::string& qmail_home);

}  // namespace postern::auth

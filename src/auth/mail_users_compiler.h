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

/// Compiles HOME/users/mailusers. The compiled file is readable by its owner alone: `owner`, who
/// runs the checker, or whoever we are when there is none. Error: the line that makes no sense, by
/// number, and the mend; the old compiled file is then what it was. No message holds a secret.
Status compile_mail_users(const std::string& qmail_home, const std::optional<Identity>& owner,
                          const FindUser& find_user);

/// The whole program: for root the file is qmaild's, who runs qmail-smtpd and its checker.
Status make_mail_users(const std::string& qmail_home);

}  // namespace postern::auth

// checkpassword's decision: accounts of the system, through the name service and the shadow file.
// Not through PAM: its modules bring configuration, conversations and their own identity changes
// into a program that needs one answer; a site that must have them runs checkpassword-pam.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "auth/login.h"
#include "base/error.h"
#include "wire/checkpassword.h"

namespace postern::auth {

/// The fields of shadow(5) that decide. Days since 1970; -1 where the field is empty.
struct ShadowEntry {
  std::string hash;
  std::int64_t last_change = -1;  // 0: must be changed at the next login
  std::int64_t most_age = -1;     // of a password, in days
  std::int64_t expires = -1;      // the day from which the account is closed
};

enum class Standing { good, locked, account_expired, password_expired };
/// As pam_unix decides. A password that must be changed first does not let mail in: nothing in
/// SMTP or POP3 could change it.
Standing standing_of(const ShadowEntry& entry, std::int64_t today);

/// The hash that an unknown user's password is checked against: one of the method most lines of
/// the shadow file have. Empty: nobody has a password.
std::string decoy_of_shadow(std::string_view shadow);

/// Looks the account up and checks its password. Error: the name service failed, or we may not
/// read the shadow file, which is root's.
Result<std::optional<Account>> verify_system_user(const wire::CheckRequest& request);

}  // namespace postern::auth

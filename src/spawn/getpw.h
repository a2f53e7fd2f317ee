// Which user of the system a local address belongs to: qmail-getpw's rules, over any user database.
#pragma once

#include <sys/types.h>

#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "spawn/local_report.h"
#include "wire/users_cdb.h"

namespace postern::spawning {

struct SystemUser {
  std::string name;
  uid_t uid = 0;
  gid_t gid = 0;
  std::string home;
};

/// The user database and the home directories. An Error is one that may go away: mail must wait for
/// it, not bounce.
class UserDatabase {
 public:
  virtual ~UserDatabase() = default;
  virtual Result<std::optional<SystemUser>> find(const std::string& name) = 0;
  /// Whose the directory is; nothing when there is none.
  virtual Result<std::optional<uid_t>> owner_of(const std::string& directory) = 0;
};

/// The longest part of `local` that ends at its end or before a '-' and names a user, shorter than
/// 32 bytes, not root, who owns an existing home directory. Otherwise the user alias, to whom the
/// whole address is an extension.
std::expected<wire::LocalUser, LocalExit> find_system_user(UserDatabase& database,
                                                           std::string_view local);

}  // namespace postern::spawning

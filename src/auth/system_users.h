// System users, through the name service.
#pragma once

#include <optional>
#include <string>

#include "base/error.h"
#include "posix/identity.h"

namespace postern::auth {

struct SystemUser {
  std::string name;
  Identity identity;  // with the supplementary groups
  std::string home;
  std::string shell;
  std::string password;  // as passwd(5) has it: "x" where the hash is in the shadow file
};

/// Nothing: there is no such user. Error: the name service failed.
Result<std::optional<SystemUser>> find_system_user(const std::string& name);

/// What glibc leaves in errno where there simply is no such entry.
bool means_not_found(int code);

}  // namespace postern::auth

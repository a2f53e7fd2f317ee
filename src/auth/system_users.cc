#include "auth/system_users.h"

#include <grp.h>
#include <pwd.h>

#include <vector>

namespace postern::auth {
namespace {

std::vector<gid_t> groups_of(const passwd& user) {
  std::vector<gid_t> groups(64);
  for (;;) {
    int count = static_cast<int>(groups.size());
    if (::getgrouplist(user.pw_name, user.pw_gid, groups.data(), &count) >= 0) {
      groups.resize(static_cast<std::size_t>(count));
      return groups;
    }
    groups.resize(static_cast<std::size_t>(count) * 2);
  }
}

}  // namespace

bool means_not_found(int code) {
  return code == 0 || code == ENOENT || code == ESRCH || code == EBADF || code == EPERM;
}

Result<std::optional<SystemUser>> find_system_user(const std::string& name) {
  errno = 0;
  const passwd* user = ::getpwnam(name.c_str());
  if (user == nullptr) {
    if (means_not_found(errno)) return std::nullopt;
    return system_failure("unable to look up user " + name);
  }
  return SystemUser{user->pw_name,
                    {user->pw_uid, user->pw_gid, groups_of(*user)},
                    user->pw_dir,
                    user->pw_shell,
                    user->pw_passwd};
}

}  // namespace postern::auth

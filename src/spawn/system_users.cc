#include "spawn/system_users.h"

#include <pwd.h>

#include <vector>

#include "posix/files.h"

namespace postern::spawning {
namespace {

constexpr std::size_t most_entry_bytes = 1 << 20;  // of one user's line in any database

// getpwnam(3): these all mean that there is no such user. Anything else, such as a directory server
// that does not answer, must not turn a user's mail into bounces.
bool means_not_found(int code) {
  return code == 0 || code == ENOENT || code == ESRCH || code == EBADF || code == EPERM;
}

}  // namespace

Result<std::optional<SystemUser>> SystemUsers::find(const std::string& name) {
  std::vector<char> buffer(4096);
  for (;;) {
    passwd entry{};
    passwd* found = nullptr;
    const int code = ::getpwnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found);
    if (found != nullptr) {
      return SystemUser{entry.pw_name, entry.pw_uid, entry.pw_gid, entry.pw_dir};
    }
    if (code == ERANGE && buffer.size() < most_entry_bytes) {
      buffer.resize(buffer.size() * 4);
    } else if (code != EINTR) {
      if (means_not_found(code)) return std::nullopt;
      return failure("unable to look up " + name, code);
    }
  }
}

Result<std::optional<uid_t>> SystemUsers::owner_of(const std::string& directory) {
  const auto info = stat_file(directory);
  if (info) return info->st_uid;
  if (is_temporary(info.error().code)) return std::unexpected(info.error());
  return std::nullopt;
}

}  // namespace postern::spawning

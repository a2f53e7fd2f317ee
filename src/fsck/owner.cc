#include "fsck/owner.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "posix/fd.h"
#include "posix/files.h"

namespace postern::fsck {
namespace {

// qmailq and qmails could put a link to somebody's file in the way, at any moment.
Result<Fd> open_here(const std::string& path) {
  struct open_how how{};
  how.flags = O_RDONLY | O_NONBLOCK | O_CLOEXEC;
  how.resolve = RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH;
  const long fd = ::syscall(SYS_openat2, AT_FDCWD, path.c_str(), &how, sizeof how);
  if (fd < 0) return system_failure("unable to open " + path);
  return Fd(static_cast<int>(fd));
}

}  // namespace

Status own(const std::string& path, mode_t type, uid_t uid, std::optional<gid_t> gid, mode_t mode) {
  const auto fd = open_here(path);
  if (!fd) return std::unexpected(fd.error());
  const auto info = stat_open_file(fd->get());
  if (!info) return std::unexpected(info.error());
  if ((info->st_mode & S_IFMT) != type) return failure(path + " is not what it was a moment ago");
  if (::fchown(fd->get(), uid, gid.value_or(static_cast<gid_t>(-1))) != 0) {
    return system_failure("unable to change the owner of " + path);
  }
  if (::fchmod(fd->get(), mode) != 0) return system_failure("unable to change the mode of " + path);
  return {};
}

}  // namespace postern::fsck

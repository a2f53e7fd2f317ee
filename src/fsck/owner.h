// Changing owners as root, in directories that belong to somebody less trusted.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "base/error.h"

namespace postern::fsck {

/// Owner, group (if any) and mode of what `path`, below the current directory, names; `type` is
/// what it has to be (S_IFREG and so on). No symbolic link on the way is followed.
Status own(const std::string& path, mode_t type, uid_t uid, std::optional<gid_t> gid, mode_t mode);

}  // namespace postern::fsck

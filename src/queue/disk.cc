// One after another: the first sync's journal commit covers the others, whose data is there by
// then, and which wait for little more than the disk's cache. Threads would share even that, but
// bring the C library's resolver into a static program, and this one is setuid.
#include "queue/disk.h"

#include "posix/files.h"

namespace postern::queue {

Result<wire::MessageId> Disk::number(int fd) {
  const auto info = stat_open_file(fd);
  if (!info) return std::unexpected(info.error());
  return info->st_ino;
}

Status Disk::sync(std::span<const OpenFile> files) {
  for (const auto& file : files) {
    if (auto synced = sync_file(file.fd, file.path); !synced) return synced;
  }
  return {};
}

}  // namespace postern::queue

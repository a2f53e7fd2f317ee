#include "send/queue_file.h"

#include <fcntl.h>

#include <cerrno>

#include "posix/files.h"

namespace postern::send {

Result<Fd> open_queue_file(const std::string& path, int flags) {
  auto file = open_file(path, flags | O_NONBLOCK | O_NOCTTY, 0600);
  if (!file) return file;
  const auto info = stat_open_file(file->get());
  if (!info) return std::unexpected(info.error());
  if (!S_ISREG(info->st_mode)) return failure(path + " is not a regular file", EINVAL);
  return file;
}

Result<IdsInDirectory> IdsInDirectory::open(const std::string& path) {
  DIR* directory = ::opendir(path.c_str());
  if (directory == nullptr) return system_failure("unable to opendir " + path);
  return IdsInDirectory(directory);
}

// readdir says by errno alone whether nothing means the end.
Result<std::optional<wire::MessageId>> IdsInDirectory::next() {
  for (;;) {
    errno = 0;
    const dirent* entry = ::readdir(directory_.get());
    if (entry == nullptr && errno != 0) return system_failure("unable to read a directory");
    if (entry == nullptr) return std::nullopt;
    if (const auto id = wire::parse_message_id(entry->d_name)) return id;
  }
}

Result<std::optional<wire::MessageId>> QueueWalk::next() {
  while (split_ < wire::queue_split) {
    if (!ids_) {
      auto opened = IdsInDirectory::open(directory());
      if (!opened) return std::unexpected(opened.error());
      ids_ = std::move(*opened);
    }
    const auto id = ids_->next();
    if (id && *id && **id % wire::queue_split != split_) continue;
    if (id && *id) return id;
    ids_.reset();
    if (!id) return id;
    ++split_;
  }
  return std::nullopt;
}

}  // namespace postern::send

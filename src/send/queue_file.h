// Opening files of the queue, and walking its directories, without trusting what stands there.
#pragma once

#include <dirent.h>

#include <memory>
#include <optional>
#include <string>

#include "base/error.h"
#include "posix/fd.h"
#include "wire/queue_names.h"

namespace postern::send {

/// Opens a regular file. Anything else under that name (a directory, a FIFO that would make us
/// wait) is error EINVAL.
Result<Fd> open_queue_file(const std::string& path, int flags = 0);

/// The names of one directory that are message ids, in the directory's order.
class IdsInDirectory {
 public:
  static Result<IdsInDirectory> open(const std::string& path);
  /// Nothing at the end. Names made or removed since open() may or may not be among them. Error:
  /// the rest cannot be read now.
  Result<std::optional<wire::MessageId>> next();

 private:
  struct Close {
    void operator()(DIR* directory) const { ::closedir(directory); }
  };
  explicit IdsInDirectory(DIR* directory) : directory_(directory) {}
  std::unique_ptr<DIR, Close> directory_;
};

/// The ids in all split directories of one kind ("info", "mess"), one after another. A file in a
/// directory that is not its own is skipped.
class QueueWalk {
 public:
  explicit QueueWalk(std::string kind) : kind_(std::move(kind)) {}
  /// Nothing at the end. Error: a directory cannot be read; the next call begins it again.
  Result<std::optional<wire::MessageId>> next();
  /// The directory that the last error speaks of.
  [[nodiscard]] std::string directory() const { return kind_ + "/" + std::to_string(split_); }

 private:
  std::string kind_;
  wire::MessageId split_ = 0;
  std::optional<IdsInDirectory> ids_;
};

}  // namespace postern::send

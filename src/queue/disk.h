// What makes files and names durable, for enqueue(). A test's own can watch each sync, or fail it.
#pragma once

#include <span>
#include <string>

#include "base/error.h"

namespace postern::queue {

/// A file or directory, open.
struct OpenFile {
  int fd;
  std::string path;  // for the error's text
};

class Disk {
 public:
  virtual ~Disk() = default;
  /// Returns when all of `files` are on the disk: data and inode; of a directory, its names. Error:
  /// the first of them that is not. It must not be synced again: the kernel may have dropped its
  /// data, and would claim success.
  virtual Status sync(std::span<const OpenFile> files);
};

}  // namespace postern::queue

// What numbers files, and makes them and their names durable, for enqueue(). A test's own can watch
// each sync, or fail it, and knows a message's number before the message has it for a name.
#pragma once

#include <span>
#include <string>

#include "base/error.h"
#include "wire/queue_names.h"

namespace postern::queue {

/// A file or directory, open.
struct OpenFile {
  int fd;
  std::string path;  // for the error's text
};

class Disk {
 public:
  virtual ~Disk() = default;
  /// What a message is called by whose text is open as `fd`: its inode number.
  virtual Result<wire::MessageId> number(int fd);
  /// Returns when all of `files` are on the disk: data and inode; of a directory, its names. Error:
  /// the first of them that is not. It must not be synced again: the kernel may have dropped its
  /// data, and would claim success.
  virtual Status sync(std::span<const OpenFile> files);
};

}  // namespace postern::queue

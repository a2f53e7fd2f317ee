// An empty queue in a directory of its own, which is the current directory.
#pragma once

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <string>

#include "posix/files.h"
#include "support/temporary_directory.h"
#include "wire/queue_names.h"

namespace postern::queue {

class QueueDirectory {
 public:
  QueueDirectory() {
    for (const char* name : {"pid", "intd", "todo", "lock"})
      std::filesystem::create_directory(name);
    for (wire::MessageId i = 0; i < wire::queue_split; ++i) {
      std::filesystem::create_directories(wire::split_directory("mess", i));
    }
  }

  /// Every file and what it holds, by path below the queue.
  static std::map<std::string, std::string> files() {
    std::map<std::string, std::string> found;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(".")) {
      if (!entry.is_regular_file()) continue;
      const std::string path = entry.path().string().substr(2);
      found[path] = read_file(path, 1 << 28).value();
    }
    return found;
  }

 private:
  test::TemporaryDirectory directory_;
};

/// A descriptor to read `text` from, as a file (not in the queue's file system, where it would take
/// a number).
inline Fd input_with(const std::string& text) {
  Fd fd(::memfd_create("input", MFD_CLOEXEC));
  if (::write(fd.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()))
    std::abort();
  ::lseek(fd.get(), 0, SEEK_SET);
  return fd;
}

inline void put_file(const std::string& path, const std::string& text = "") {
  std::ofstream(path) << text;
}

}  // namespace postern::queue

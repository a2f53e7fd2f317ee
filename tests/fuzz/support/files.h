// Files: without a name for what reads and writes descriptors, with one for what opens them.
#pragma once

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <string>
#include <string_view>

#include "fuzz/support/input.h"
#include "posix/fd.h"
#include "posix/files.h"
#include "posix/io.h"

namespace postern::fuzz {

/// A file that holds `text`, at its begin.
inline Fd memory_file(std::string_view text = {}) {
  Fd fd(::memfd_create("fuzz", MFD_CLOEXEC));
  require(fd && write_all(fd.get(), text) && ::lseek(fd.get(), 0, SEEK_SET) == 0,
          "a file in memory can be made");
  return fd;
}

/// All that is in it.
inline std::string contents_of(const Fd& fd) {
  ::lseek(fd.get(), 0, SEEK_SET);
  return read_to_end(fd.get(), std::size_t{1} << 28).value();
}

inline void write_file(const std::string& path, std::string_view bytes) {
  const auto fd = open_file(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
  require(fd && write_all(fd->get(), bytes), "a file can be written");
}

}  // namespace postern::fuzz

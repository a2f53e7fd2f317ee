// Room for bytes that are still to be read.
#pragma once

#include <string>

namespace postern {

/// Makes a buffer `size` bytes long, whose contents do not matter. Most are larger than what will
/// be read into them, and their pages cost a process that lives for one message more than its
/// reading; so none is touched here.
inline void make_room(std::string& buffer, std::size_t size) {
  buffer.resize_and_overwrite(size, [](char*, std::size_t length) { return length; });
}

}  // namespace postern

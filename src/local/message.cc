#include "local/message.h"

#include <unistd.h>

#include "posix/buffer.h"

namespace postern::local {
namespace {

constexpr std::size_t piece_bytes = 65536;

// Fills `piece` from `offset` on; shorter only at the end of the file.
Status read_piece(int fd, std::uint64_t offset, std::string& piece) {
  make_room(piece, piece_bytes);
  std::size_t size = 0;
  while (size < piece.size()) {
    const ssize_t count =
        ::pread(fd, piece.data() + size, piece.size() - size, static_cast<off_t>(offset + size));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return system_failure("unable to read message");
    if (count == 0) break;
    size += static_cast<std::size_t>(count);
  }
  piece.resize(size);
  return {};
}

}  // namespace

Result<Message> Message::open(int fd) {
  Message message(fd);
  if (auto read = read_piece(fd, 0, message.first_piece_); !read) {
    return std::unexpected(read.error());
  }
  return message;
}

Status Message::rewind() const {
  if (::lseek(fd_, 0, SEEK_SET) != 0) return system_failure("unable to rewind message");
  return {};
}

Result<std::string_view> Message::Reader::next() {
  const std::string& first = message_.first_piece_;
  if (offset_ == 0) {
    offset_ = first.size();
    return first;
  }
  if (offset_ < piece_bytes) return std::string_view{};
  if (auto read = read_piece(message_.fd_, offset_, piece_); !read) {
    return std::unexpected(read.error());
  }
  offset_ += piece_.size();
  return piece_;
}

Result<bool> has_header_line(const Message& message, std::string_view line) {
  Message::Reader reader(message);
  std::string current;  // never longer than is needed to see that it is another line
  for (;;) {
    const auto piece = reader.next();
    if (!piece) return std::unexpected(piece.error());
    if (piece->empty()) return false;
    for (const char c : *piece) {
      if (current.size() <= line.size()) current += c;
      if (c != '\n') continue;
      if (current == line) return true;
      if (current == "\n") return false;
      current.clear();
    }
  }
}

}  // namespace postern::local

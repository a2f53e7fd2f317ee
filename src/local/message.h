// The message on descriptor 0. Programs in a .qmail file get the same descriptor, and one that they
// leave running may move its offset at any time, so here each read says where.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "local/outcome.h"

namespace postern::local {

class Message {
 public:
  /// Reads the first piece. Error: `fd` is not a file that can be read from any offset.
  static Result<Message> open(int fd);
  [[nodiscard]] int fd() const { return fd_; }
  /// The offset of the descriptor itself goes back to 0, for a program that will read it.
  [[nodiscard]] Status rewind() const;

  /// One way through the message.
  class Reader {
   public:
    explicit Reader(const Message& message) : message_(message) {}
    /// The next bytes; empty at the end.
    Result<std::string_view> next();

   private:
    const Message& message_;
    std::string piece_;
    std::uint64_t offset_ = 0;
  };

 private:
  explicit Message(int fd) : fd_(fd) {}

  int fd_;
  std::string first_piece_;  // most messages are no longer than this
};

/// Whether a line of the header is `line` exactly (with its line feed).
Result<bool> has_header_line(const Message& message, std::string_view line);

/// What every delivery says when the message cannot be read.
inline constexpr std::string_view unreadable_message = "Unable to read message. (#4.3.0)";

}  // namespace postern::local

// The message as it comes in: the fields of its header, then its body as a stream. A message whose
// first line ends in CR LF (PHP and others write such) has all its CR LF made LF.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "posix/io.h"

namespace postern::inject {

/// A header larger than this is refused, in bytes.
inline constexpr std::size_t most_header_bytes = std::size_t{16} << 20;

class MessageInput {
 public:
  /// Borrows `fd`.
  explicit MessageInput(int fd) : input_(fd) {}

  /// Gives each field of the header, with its line ends, to `take`, whose error ends the reading.
  /// The header ends at a blank line, which is consumed, or before a line that is no field.
  /// Error: a header larger than most_header_bytes, or a descriptor that cannot be read.
  Status read_header(const std::function<Status(std::string_view field)>& take);

  /// Gives the rest of the message to `take`, piece by piece; the last line ends in LF.
  Status read_body(const std::function<Status(std::string_view bytes)>& take);

 private:
  Result<bool> next_line();
  [[nodiscard]] std::string without_carriage_returns(std::string_view bytes);

  BufferedInput input_;
  std::string line_;  // the line next_line() has read, with its LF
  std::size_t header_bytes_ = 0;
  bool first_ = true;
  bool crlf_ = false;         // the first line ended in CR LF
  bool held_return_ = false;  // a CR at the end of a piece, until we see what follows
  std::string body_begin_;    // what looked like a header line and was not
};

}  // namespace postern::inject

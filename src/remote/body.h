// A message as the DATA command carries it (RFC 5321 4.1.1.4, 4.5.2).
//
// A queued message has lines that end in LF. A receiver may take more than CR LF for the end of a
// line: a bare CR, or a bare LF. If our "\r." went out as it is, such a receiver would see a dot at
// the begin of a line that we have not doubled, and with "\r.\r\n" the end of the message, after
// which a stranger's commands would follow. So nothing but CR LF pairs leaves this encoder:
//   LF, and CR LF       one CR LF
//   any other CR        a blank (a line break would let it end a header, or begin a new field)
//   '.' after CR LF     ".."
//   all other bytes     as they are, NUL and 8-bit too
#pragma once

#include <string>
#include <string_view>

namespace postern::remote {

class BodyEncoder {
 public:
  /// Appends `bytes` to `out` as they go over the wire; may be cut anywhere.
  void encode(std::string_view bytes, std::string& out);
  /// After the last byte: whether the message ended with a whole line.
  [[nodiscard]] bool at_line_start() const { return line_start_ && !held_cr_; }

 private:
  void put_in_line(std::string_view bytes, std::string& out);

  bool line_start_ = true;
  bool held_cr_ = false;  // a CR whose next byte has not been seen
};

/// What follows a message of whole lines.
inline constexpr std::string_view end_of_message = ".\r\n";

}  // namespace postern::remote

// The bodies of mbox messages: a line that would read as the begin of the next message gets a '>',
// and so does one that has got one before, so that it can be taken off again (mbox(5), "mboxrd").
#pragma once

#include <string>
#include <string_view>

namespace postern::local {

/// Turns lines of zero or more '>' and "From " into the same with one '>' more, in constant memory
/// however long the lines are.
class FromQuoter {
 public:
  void feed(std::string_view piece, std::string& quoted);
  /// Ends the message: its last line gets a line feed if it has none, and a blank line follows.
  void finish(std::string& quoted);

 private:
  bool past_start_ = false;    // the line is not one of those
  bool ends_in_line_ = false;  // the last byte was not a line feed
  std::size_t matched_ = 0;    // bytes of "From " seen after the '>'s, and held back
};

}  // namespace postern::local

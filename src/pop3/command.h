// A command line of POP3 (RFC 1939 section 3), taken apart.
#pragma once

#include <string_view>

#include "base/ascii.h"

namespace postern::pop3 {

struct Command {
  std::string_view verb;      // in any case
  std::string_view argument;  // the rest, without the blanks before it; a password may end in some

  [[nodiscard]] bool is(std::string_view name) const { return equal_ignoring_case(verb, name); }
};

/// Splits a line without its LF at the first blanks. One CR at its end does not count.
inline Command parse_command(std::string_view line) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  const std::size_t end = std::min(line.find(' '), line.size());
  const std::size_t begin = std::min(line.find_first_not_of(' ', end), line.size());
  return {line.substr(0, end), line.substr(begin)};
}

}  // namespace postern::pop3

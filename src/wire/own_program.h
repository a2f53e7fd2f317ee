// Whether the program that would run is Postern's own. That can be asked for more than qmail asks
// of one; a script in front of it, or another program in its place, was written for qmail's way.
#pragma once

#include <string>
#include <string_view>

namespace postern::wire {

/// A program file of ours: a regular file, not a script, and with `mark` in it.
bool is_own_program(const std::string& file, std::string_view mark);

class OwnProgram {
 public:
  explicit OwnProgram(std::string_view mark) : mark_(mark) {}
  /// Whether the program in `file` is ours. It is read again when it has changed.
  bool is(const std::string& file);
  /// The file that `program` means in $PATH, if it is ours; empty: it is not.
  std::string find(const std::string& program);

 private:
  std::string mark_;
  std::string seen_;  // the file, and its version
  bool own_ = false;  // what came of it
};

}  // namespace postern::wire

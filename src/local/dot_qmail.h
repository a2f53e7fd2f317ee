// A .qmail file as instructions. Format: dot-qmail(5).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "local/outcome.h"

namespace postern::local {

struct Instruction {
  enum class Kind {
    maildir,  // the text is a directory, with its final '/'
    mbox,     // a file
    program,  // a command for /bin/sh
    forward,  // an address
  };
  Kind kind = Kind::forward;
  std::string text;

  bool operator==(const Instruction&) const = default;
};

struct DotQmail {
  std::vector<Instruction> instructions;
  /// A line after them that cannot be followed. It is met only when the instructions before it have
  /// been: they stand, as with any delivery that fails.
  std::optional<Failure> problem;
};

/// `forward_only`: the file's owner has set its x bit, which forbids mailboxes and programs.
DotQmail parse_dot_qmail(std::string_view text, bool forward_only);

/// "program", "mbox": as `qmail-local -n` shows it.
std::string_view name_of(Instruction::Kind kind);

}  // namespace postern::local

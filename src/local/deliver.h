// One local delivery from begin to end: the home directory, the loop check, the .qmail file, its
// instructions in order, and the forwards together at the end. Interface: qmail-local(8).
#pragma once

#include <span>

#include "local/outcome.h"

namespace postern::local {

/// Descriptors.
struct Streams {
  int message = 0;   // a file
  int report = 1;    // what happened
  int problems = 2;  // what failed
};

/// qmail-local: everything after main(); `arguments` without the program's name. Changes directory,
/// umask and environment. The exit code: 0, 100 or 111.
int deliver(std::span<char* const> arguments, const Streams& streams = {});

/// Largest .qmail file, in bytes.
inline constexpr std::size_t most_dot_qmail_bytes = 1 << 20;

}  // namespace postern::local

// One local delivery from begin to end: the home directory, the loop check, the .qmail file, its
// instructions in order, and the forwards together at the end. Interface: qmail-local(8).
#pragma once

#include <span>

#include "local/outcome.h"

namespace postern::local {

/// qmail-local: everything after main(). The message is on descriptor 0; what happened is told on
/// 1, what failed on 2. The exit code: 0, 100 or 111.
int deliver(std::span<char* const> arguments);

/// Largest .qmail file, in bytes.
inline constexpr std::size_t most_dot_qmail_bytes = 1 << 20;

}  // namespace postern::local

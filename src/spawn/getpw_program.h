// qmail-getpw, the program: answers for the address on its command line, and stays for further ones
// where qmail-lspawn offers that (docs/wire/getpw.md).
#pragma once

#include <span>

#include "spawn/getpw.h"

namespace postern::spawning {

/// Everything after main(). `arguments` with the program's name. Prints on `output`; the exit code
/// is 0, a LocalExit, or 100 without an argument.
int run_getpw(std::span<char* const> arguments, UserDatabase& system, int output);

}  // namespace postern::spawning

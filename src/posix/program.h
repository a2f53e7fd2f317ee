// How every program of the suite begins and ends: its name for messages, its out-of-memory exit,
// and the exit codes qmail's programs share.
#pragma once

#include <string_view>

#include "base/error.h"

namespace postern {

/// Exit codes that all programs share; qmail-queue's own are in wire/queue_exit.h.
namespace exit_code {
inline constexpr int ok = 0;
inline constexpr int permanent = 100;
inline constexpr int temporary = 111;
}  // namespace exit_code

struct Program {
  const char* name = "";                     // as messages begin: "qmail-clean"
  int out_of_memory = exit_code::temporary;  // exit code when memory runs out
  std::string_view out_of_memory_text{};     // written whole to `out_of_memory_fd` instead of
                                             // "NAME: fatal: out of memory\n"; may hold NULs
  int out_of_memory_fd = 2;
};

/// To be called first in main(). Sets the new-handler and the name die() uses, and makes sure that
/// descriptors 0, 1 and 2 are open, so that no file opened later is taken for one of them.
void start_program(const Program& program);

/// start_program(), then `body`, whose result is the exit code.
template <class Body>
int program(const Program& description, Body body) {
  start_program(description);
  return body();
}

/// "NAME: fatal: WHAT: reason" on descriptor 2, then exits. For program folders only.
[[noreturn]] void die(int code, std::string_view what);
[[noreturn]] void die(int code, const Error& error);
/// "NAME: warning: WHAT" on descriptor 2.
void warn(std::string_view what);
/// The name given to start_program().
std::string_view program_name();

}  // namespace postern

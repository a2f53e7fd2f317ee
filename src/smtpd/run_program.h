// Running one of the administrator's programs to its end, away from the client's connection.
#pragma once

#include <chrono>

#include "base/error.h"
#include "posix/spawn.h"

namespace postern::smtpd {

/// A program that takes longer is killed: an LDAP server that hangs must not use up all
/// connections.
inline constexpr std::chrono::seconds longest_program_run{300};

/// Descriptor 0 is empty, 1 and 2 go to the log; `spec.fds` are added. Error: the program could not
/// be started, and why. A program that was killed for its slowness has crashed.
Result<ExitStatus> run_program(SpawnSpec spec,
                               std::chrono::milliseconds longest = longest_program_run);

/// How a program ended, and what it wrote on descriptor 1.
struct ProgramOutput {
  ExitStatus status;
  std::string text;
};

/// As run_program(), but descriptor 1 is read. Error also: it took longer than `longest`, or wrote
/// more than `most` bytes, and was killed. What a child of its own writes after its end is not
/// waited for.
Result<ProgramOutput> run_for_output(SpawnSpec spec, std::size_t most,
                                     std::chrono::milliseconds longest = longest_program_run);

}  // namespace postern::smtpd

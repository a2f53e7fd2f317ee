// qmail-start: makes the pipes, starts the logger, qmail-lspawn, qmail-rspawn and qmail-clean, each
// as its own user, and turns into qmail-send.
#pragma once

#include <span>

namespace postern::start {

/// The whole of qmail-start. Returns (an exit code) only if qmail-send cannot be run.
int run_start_program(std::span<char* const> arguments);

}  // namespace postern::start

// A program line of a .qmail file: run by /bin/sh with the message as its input. Its output goes to
// our descriptors 1 and 2, and so into the log or the bounce. Interface: qmail-command(8).
#pragma once

#include <expected>
#include <string>

#include "local/message.h"
#include "local/outcome.h"

namespace postern::local {

enum class CommandEnd {
  done,       // exit 0
  done_stop,  // exit 99: the rest of the .qmail file is not for this message
};

/// What an exit code means; the Failure has no text, because the program has had its say.
std::expected<CommandEnd, Failure> interpret_command_exit(int code);

/// Runs it with our environment.
std::expected<CommandEnd, Failure> run_command(const std::string& command, const Message& message);

}  // namespace postern::local

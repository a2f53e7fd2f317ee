#include "local/command.h"

#include "posix/spawn.h"

namespace postern::local {

std::expected<CommandEnd, Failure> interpret_command_exit(int code) {
  switch (code) {
    case 0:
      return CommandEnd::done;
    case 99:
      return CommandEnd::done_stop;
    case exit_code::permanent:
    case 64:   // EX_USAGE
    case 65:   // EX_DATAERR
    case 70:   // EX_SOFTWARE
    case 76:   // EX_PROTOCOL
    case 77:   // EX_NOPERM
    case 78:   // EX_CONFIG
    case 112:  // qmail's own "misused"
      return bounce("");
    default:
      return defer("");
  }
}

std::expected<CommandEnd, Failure> run_command(const std::string& command, const Message& message) {
  if (!message.rewind()) return defer("Unable to rewind message. (#4.3.0)");
  auto child = spawn({.argv = {"/bin/sh", "-c", command}, .fds = {{message.fd(), 0}}});
  if (!child) {
    if (child.error().what.starts_with("unable to fork")) return defer("Unable to fork. (#4.3.0)");
    return defer_for("Unable to run /bin/sh", child.error().code);
  }
  const auto status = child->wait();
  if (!status || status->crashed()) return defer("Aack, child crashed. (#4.3.0)");
  return interpret_command_exit(status->code());
}

}  // namespace postern::local

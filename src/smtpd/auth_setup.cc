// The first argument is never looked up in $PATH: in the first form it is a host name, and a host
// called "mail" would run /usr/bin/mail as the password checker. A checker that says yes to
// everybody makes the server an open relay; the known ways of getting there by a slip of the pen
// (an argument left out, so that /bin/true becomes the checker) are refused here, and the others
// are found by trying it with a password nobody has (see checker_program.h).
#include "smtpd/auth_setup.h"

#include "base/ascii.h"

namespace postern::smtpd {
namespace {

void read_mode(AuthSetup& setup, std::string_view mode) {
  if (mode.starts_with('-')) return;
  setup.required = mode.starts_with('!');
  if (setup.required) mode.remove_prefix(1);
  const bool both = mode.starts_with('+');
  if (both) mode.remove_prefix(1);
  setup.cram = starts_with_ignoring_case(mode, "cram");
  setup.passwords = both || !setup.cram;
}

bool accepts_everybody(std::string_view checker) {
  const std::size_t slash = checker.rfind('/');
  if (slash != std::string_view::npos) checker.remove_prefix(slash + 1);
  return checker == "true" || checker == ":";
}

std::string objection(const std::vector<std::string>& command) {
  if (command.size() < 2) {
    return "AUTH is off: the arguments must be HOST CHECKER SUBPROGRAM, or CHECKER SUBPROGRAM "
           "with a CHECKER that has a slash in it";
  }
  if (accepts_everybody(command.front())) {
    return "AUTH is off: the checker " + command.front() +
           " accepts every password; is the host name missing before the checker?";
  }
  return {};
}

}  // namespace

AuthSetup parse_auth_setup(const std::vector<std::string>& arguments,
                           const std::optional<std::string>& smtpauth,
                           std::string_view local_name) {
  AuthSetup setup;
  if (arguments.empty()) return setup;
  if (arguments.front().contains('/')) {
    setup.form = AuthForm::checker_first;
    setup.host = local_name;
    setup.command = arguments;
    read_mode(setup, smtpauth.value_or(""));
  } else {
    setup.host = arguments.front();
    setup.command.assign(arguments.begin() + 1, arguments.end());
    setup.passwords = setup.cram = true;
  }
  setup.warning = objection(setup.command);
  if (!setup.warning.empty()) setup.command.clear();
  return setup;
}

}  // namespace postern::smtpd

// Whether and how AUTH is offered, from the arguments of qmail-smtpd. Two families of run scripts
// are in use, and both work:
//   qmail-smtpd HOST CHECKER SUBPROGRAM [ARGUMENT...]   host_first
//   qmail-smtpd CHECKER SUBPROGRAM [ARGUMENT...]        checker_first, where CHECKER holds a '/'
// In the second, $SMTPAUTH chooses the mechanisms. Described in docs/wire/smtpd.md.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::smtpd {

enum class AuthForm { host_first, checker_first };

struct AuthSetup {
  AuthForm form = AuthForm::host_first;
  std::vector<std::string> command;  // the checker and its arguments; empty: no AUTH
  std::string host;                  // the name in CRAM-MD5 challenges
  bool passwords = false;            // LOGIN and PLAIN
  bool cram = false;                 // CRAM-MD5
  bool required = false;             // no MAIL without AUTH
  std::string warning;               // why AUTH is off although there are arguments

  [[nodiscard]] bool offered() const { return !command.empty() && (passwords || cram); }
};

/// `arguments` without the program's own name; `local_name` stands in challenges where the
/// arguments name no host.
AuthSetup parse_auth_setup(const std::vector<std::string>& arguments,
                           const std::optional<std::string>& smtpauth, std::string_view local_name);

}  // namespace postern::smtpd

#include "smtpd/checker_program.h"

#include <sys/random.h>

#include "base/base64.h"
#include "posix/environment.h"
#include "posix/io.h"
#include "posix/pipe.h"
#include "posix/server_log.h"
#include "smtpd/run_program.h"
#include "wire/checkpassword.h"
#include "wire/descriptors.h"

namespace postern::smtpd {
namespace {

std::string random_hex() {
  std::string bytes(16, '\0');
  if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
    bug("the system has no random bytes");
  }
  return format_hex(bytes);
}

}  // namespace

// All the bytes fit into an empty pipe, so they are there before the program is, and nothing of
// what it does can make the writing fail or wait.
PasswordChecker::Verdict CheckerProgram::ask(const std::string& bytes,
                                             std::vector<std::string> environment) {
  // The interface has no room for more: a checker that keeps to it would say no.
  if (bytes.size() > wire::most_checkpassword_bytes) return Verdict::rejected;
  auto pipe = make_pipe();
  if (!pipe) {
    log_warning(describe(pipe.error()));
    return Verdict::no_pipe;
  }
  if (auto written = write_all(pipe->write.get(), bytes); !written) return Verdict::unwritten;
  pipe->write.reset();

  SpawnSpec spec;
  spec.argv = setup_.command;
  spec.search_path = true;
  spec.environment = std::move(environment);
  spec.fds = {{pipe->read.get(), wire::checkpassword_fd}};
  const auto status = run_program(std::move(spec));
  if (!status) {
    log_warning(describe(status.error()));
    return Verdict::unstarted;
  }
  if (status->crashed()) {
    log_warning("the checker " + setup_.command.front() + " crashed");
    return Verdict::failed;
  }
  return status->code() == 0 ? Verdict::accepted : Verdict::rejected;
}

PasswordChecker::Verdict CheckerProgram::check(const std::string& bytes) {
  return ask(bytes, current_environment());
}

// The client's address is kept from the checker this once: one that counts failures, or opens a
// relay for the address of a success, must not hold our own question against the client.
bool CheckerProgram::accepts_anybody() {
  auto environment = current_environment();
  for (const auto* name : {"TCPREMOTEIP", "TCPREMOTEHOST", "TCPREMOTEINFO", "TCPREMOTEPORT"}) {
    unset_in(environment, name);
  }
  const auto mechanism = setup_.passwords ? Mechanism::plain : Mechanism::cram_md5;
  const Credentials nobody{.user = "nobody-" + random_hex(),
                           .secret = random_hex(),
                           .challenge = "<" + random_hex() + "@" + setup_.host + ">"};
  const auto verdict = ask(format_for_checker(setup_, mechanism, nobody), std::move(environment));
  if (verdict != Verdict::accepted) return false;
  log_warning("AUTH is off: the checker " + setup_.command.front() +
              " accepts a user and a password that were made up");
  return true;
}

void CheckerProgram::announce(std::string_view user, Mechanism mechanism) {
  set_environment_variable("RELAYCLIENT", "");
  set_environment_variable("TCPREMOTEINFO", std::string(user));
  set_environment_variable("SMTPAUTHUSER", std::string(user));
  set_environment_variable("SMTP_AUTH_USER", std::string(user));
  set_environment_variable("SMTPAUTHMETHOD", std::string(name_of(mechanism)));
}

}  // namespace postern::smtpd

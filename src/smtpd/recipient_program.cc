#include "smtpd/recipient_program.h"

#include "posix/environment.h"
#include "posix/program.h"
#include "posix/server_log.h"
#include "smtpd/run_program.h"
#include "wire/queue_exit.h"

namespace postern::smtpd {

RecipientCheck::Verdict RecipientProgram::check(const std::string& sender,
                                                const std::string& recipient) {
  SpawnSpec spec;
  spec.argv = {path_};
  spec.environment = current_environment();
  set_in(*spec.environment, "SENDER", sender);
  set_in(*spec.environment, "RECIPIENT", recipient);
  const auto status = run_program(std::move(spec));
  if (!status) {
    log_warning(describe(status.error()));
    return Verdict::broken;
  }
  if (status->crashed()) return Verdict::broken;
  switch (status->code()) {
    case exit_code::permanent:
      return Verdict::no_mailbox;
    case exit_code::temporary:
      return Verdict::try_later;
    case static_cast<int>(wire::QueueExit::exec_failed):
      return Verdict::broken;
    default:
      return Verdict::accept;
  }
}

}  // namespace postern::smtpd

// sendmail: the name under which other programs look for a mail system. Becomes qmail-inject,
// qmail-smtpd or qmail-qread. Exits as they do; 100 when it is misused.
#include "inject/run_sendmail.h"
#include "posix/program.h"

int main(int argc, char** argv) {
  using namespace postern;
  return program({.name = "sendmail"}, [&] {
    const auto outcome = inject::run_sendmail({argv, static_cast<std::size_t>(argc)});
    if (!outcome.problem.empty()) die(outcome.exit_code, outcome.problem);
    return outcome.exit_code;
  });
}

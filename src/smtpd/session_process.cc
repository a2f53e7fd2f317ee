#include "smtpd/session_process.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>

#include "posix/environment.h"
#include "posix/program.h"
#include "smtpd/connection.h"
#include "wire/home.h"
#include "wire/kept_worker.h"
#include "wire/tcp_environment.h"

namespace postern::smtpd {
namespace {

// Descriptors 0 and 1 are the client's as long as there is one; then both are this.
int open_nothing() { return ::open("/dev/null", O_RDWR | O_CLOEXEC); }

bool put_on_descriptors_0_and_1(int fd) { return ::dup2(fd, 0) >= 0 && ::dup2(fd, 1) >= 0; }

// All descriptors but 0, 1, 2 and these: a session has no hand on the port, on other sessions or on
// the qmail-queues that take their messages.
void close_others(std::vector<int> kept) {
  std::ranges::sort(kept);
  unsigned next = 3;
  for (const int fd : kept) {
    if (fd < 3) continue;
    const auto place = static_cast<unsigned>(fd);
    if (place > next) ::close_range(next, place - 1, 0);
    next = place + 1;
  }
  ::close_range(next, ~0U, 0);
}

void forget_the_servers_signals() {
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
}

class SessionProcess {
 public:
  explicit SessionProcess(const SessionSetup& setup)
      : arguments_(setup.arguments),
        queue_(Fd(setup.orders)),
        server_(wire::KeptWorker::on(Fd(setup.server))),
        environment_(current_environment()),
        nothing_(open_nothing()) {}

  // The exit code.
  int serve(Client client) {
    for (;;) {
      replace_environment(environment_);
      for (const auto& word : client.settings) wire::apply({wire::parse_setting(word)});
      if (!put_on_descriptors_0_and_1(client.connection.get())) return exit_code::temporary;
      client.connection.reset();
      wire::QueueProgram elsewhere;
      const bool is_home = wire::home() == home_;  // or a rule has moved it
      const ServedClient served = serve_smtp(arguments_, is_home ? queue_ : elsewhere);
      if (served.exit_code != 0 || served.has_seen_auth) return served.exit_code;
      if (!put_on_descriptors_0_and_1(nothing_.get())) return served.exit_code;
      auto next = server_.next(served.exit_code);
      if (!next || !*next) return served.exit_code;
      client = {std::move((*next)->message), std::move((*next)->arguments)};
    }
  }

 private:
  const std::vector<std::string>& arguments_;
  wire::QueueProgram queue_;
  wire::KeptWorker server_;
  std::vector<std::string> environment_;
  std::string home_ = wire::home();  // whose queue the orders go to
  Fd nothing_;
};

}  // namespace

void become_session(Client client, const SessionSetup& setup) {
  close_others({client.connection.get(), setup.orders, setup.server});
  forget_the_servers_signals();
  ::prctl(PR_SET_NAME, "qmail-smtpd");
  start_program(smtpd_program);
  std::exit(SessionProcess(setup).serve(std::move(client)));
}

}  // namespace postern::smtpd

#include "smtpd/server_program.h"

#include <unistd.h>

#include <csignal>

#include "inet/listen.h"
#include "posix/identity.h"
#include "posix/program.h"
#include "posix/signals.h"
#include "smtpd/smtp_server.h"
#include "wire/home.h"

namespace postern::smtpd {
namespace {

constexpr std::string_view usage =
    "usage: qmail-smtp-server [-HRqv] [-c limit] [-m clients] [-b backlog] [-x rules.cdb] [-l name]"
    " [-u uid] [-g gid] address port [argument of qmail-smtpd...]";

// Root is for the port alone, and gone before the first connection is taken; become() makes sure
// that there is no way back.
void drop_privilege(const ServerOptions& options) {
  if (options.uid || options.gid) {
    const auto become_user = become({.uid = options.uid.value_or(::getuid()),
                                     .gid = options.gid.value_or(::getgid()),
                                     .groups = {}});
    if (!become_user) die(exit_code::temporary, become_user.error());
  }
  if (::getuid() == 0) {
    die(exit_code::permanent, "it does not serve as root: give it -u and -g of qmaild");
  }
}

}  // namespace

int run_smtp_server(const std::vector<std::string>& command) {
  ignore_signal(SIGPIPE);  // a logger that has gone is no reason to stop
  auto options = parse_server_options(std::span(command).subspan(1));
  if (!options) {
    die(exit_code::permanent, usage);
  }
  auto listener = inet::listen_on(options->host, options->port, options->backlog);
  if (!listener) die(exit_code::temporary, listener.error());
  drop_privilege(*options);
  auto signals = SignalFd::watch({SIGCHLD});
  if (!signals) die(exit_code::temporary, signals.error());
  auto broker = QueueBroker::create(wire::home(), options->most_sessions);
  if (!broker) die(exit_code::temporary, broker.error());
  const Error reason =
      SmtpServer(std::move(*options), std::move(*listener), std::move(*signals), std::move(*broker))
          .run();
  die(exit_code::temporary, reason);
}

}  // namespace postern::smtpd

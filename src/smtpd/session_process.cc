#include "smtpd/session_process.h"

#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>

#include "control/access_rules.h"
#include "posix/io.h"
#include "posix/program.h"
#include "smtpd/connection.h"
#include "wire/tcp_environment.h"

namespace postern::smtpd {
namespace {

std::string text_of(const std::optional<std::string>& text) { return text.value_or(""); }

wire::TcpConnection describe_connection(int connection,
                                        const std::optional<std::string>& local_host) {
  sockaddr_storage local{};
  sockaddr_storage remote{};
  socklen_t local_size = sizeof local;
  socklen_t remote_size = sizeof remote;
  wire::TcpConnection description;
  if (::getsockname(connection, reinterpret_cast<sockaddr*>(&local), &local_size) == 0) {
    description.local = wire::describe_end(local);
  }
  if (::getpeername(connection, reinterpret_cast<sockaddr*>(&remote), &remote_size) == 0) {
    description.remote = wire::describe_end(remote);
  }
  description.local_host = local_host;
  return description;
}

// Whether the client may stay.
bool apply_rules(const std::string& path, const wire::TcpEnd& client) {
  if (path.empty()) return true;
  const auto rule = control::find_access_rule(path, client.ip);
  if (!rule) {
    log_line("drop: " + describe(rule.error()));
    std::exit(exit_code::temporary);
  }
  wire::apply(rule->settings);
  return !rule->deny;
}

// All descriptors but 0, 1, 2 and `kept`.
void close_others(int kept) {
  if (kept > 3) ::close_range(3, static_cast<unsigned>(kept) - 1, 0);
  ::close_range(static_cast<unsigned>(kept) + 1, ~0U, 0);
}

}  // namespace

void log_line(const std::string& text) { (void)write_all(2, "tcpserver: " + text + "\n"); }

void become_session(Fd connection, int orders, const ServerOptions& options) {
  if (::dup2(connection.get(), 0) < 0 || ::dup2(connection.get(), 1) < 0) {
    std::exit(exit_code::temporary);
  }
  close_others(orders);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  ::prctl(PR_SET_NAME, "qmail-smtpd");

  const auto description = describe_connection(0, options.local_host);
  if (!description.local || !description.remote) std::exit(exit_code::temporary);  // it has gone
  const wire::TcpEnd& local = *description.local;
  const wire::TcpEnd& remote = *description.remote;
  wire::apply(wire::tcp_settings(description));
  const bool allowed = apply_rules(options.rules, remote);
  if (options.logs_connections) {
    const std::string pid = std::to_string(::getpid());
    log_line("pid " + pid + " from " + remote.ip + "\ntcpserver: " + (allowed ? "ok " : "deny ") +
             pid + " " + text_of(options.local_host) + ":" + local.ip + ":" + local.port + " :" +
             remote.ip + "::" + remote.port);
  }
  if (!allowed) std::exit(exit_code::permanent);
  start_program(smtpd_program);
  std::exit(serve_smtp(options.session, Fd(orders)));
}

}  // namespace postern::smtpd

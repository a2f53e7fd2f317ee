// The loop of qmail-smtp-server: takes connections, and has each served by a process that is
// qmail-smtpd but for its start: a copy of one that was loaded once. The process that is copied
// reads nothing that a client sends.
#pragma once

#include <string>
#include <vector>

#include "control/access_rules.h"
#include "posix/clock.h"
#include "posix/fd.h"
#include "posix/signals.h"
#include "smtpd/queue_broker.h"
#include "smtpd/server_options.h"
#include "smtpd/session_pool.h"
#include "wire/tcp_environment.h"

namespace postern::smtpd {

/// What the server goes on with that has started itself anew.
struct ServerState {
  Fd listener;
  std::vector<pid_t> sessions;
};
/// Holds it, for the same program: "FD,PID,PID...".
inline constexpr const char* server_state_variable = "POSTERN_SMTP_SERVER";

class SmtpServer {
 public:
  /// `command` is the command line, for starting anew.
  SmtpServer(ServerOptions options, std::vector<std::string> command, ServerState state,
             SignalFd signals, QueueBroker broker);
  /// Returns only when it cannot go on.
  Error run();

 private:
  Status turn();
  void reap();
  void accept_connections();
  void greet(Fd connection, const sockaddr_storage& remote);
  void serve(const wire::TcpConnection& description, Client client);
  Result<pid_t> start_session(Client client, const std::string& address);
  [[nodiscard]] Error start_anew() const;
  void log(const std::string& line);
  void log_connection(std::string_view verdict, pid_t pid, const wire::TcpConnection& description);
  void log_end(const SessionPool::Ended& ended);
  void log_status();
  void write_log();

  ServerOptions options_;
  std::vector<std::string> command_;
  Fd listener_;
  SignalFd signals_;
  QueueBroker broker_;
  control::AccessRules rules_;
  SessionPool sessions_;
  Deadline not_before_;   // no connection is taken
  bool crashed_ = false;  // a session has
  std::string log_;       // lines that are not written yet
};

}  // namespace postern::smtpd

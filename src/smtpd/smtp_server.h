// qmail-smtp-server: takes connections and serves each in a process of its own, which is
// qmail-smtpd but for its start: it is a copy of one that was loaded once. The process that is
// copied reads nothing that a client sends.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "posix/clock.h"
#include "posix/signals.h"
#include "smtpd/queue_broker.h"
#include "smtpd/server_options.h"

namespace postern::smtpd {

/// Holds, for the same program starting itself anew, "FD,PID,PID...": the socket that it listens on
/// and the sessions that it has.
inline constexpr const char* server_state_variable = "POSTERN_SMTP_SERVER";

class SmtpServer {
 public:
  /// `command` is the command line, for starting anew.
  SmtpServer(ServerOptions options, std::vector<std::string> command, Fd listener,
             std::set<pid_t> sessions, SignalFd signals, QueueBroker broker);
  /// Returns only when it cannot go on.
  Error run();

 private:
  Status turn();
  void reap();
  void accept_connections();
  void start_session(Fd connection);
  [[nodiscard]] Error start_anew() const;
  void log_status() const;

  ServerOptions options_;
  std::vector<std::string> command_;
  Fd listener_;
  std::set<pid_t> sessions_;
  SignalFd signals_;
  QueueBroker broker_;
  Deadline not_before_;   // no connection is taken
  bool crashed_ = false;  // a session has
};

}  // namespace postern::smtpd

// The loop of qmail-smtp-server: takes connections, and has each served by a qmail-smtpd. It reads
// nothing that a client sends.
#pragma once

#include <string>
#include <vector>

#include "control/access_rules.h"
#include "posix/clock.h"
#include "posix/fd.h"
#include "posix/signals.h"
#include "posix/spawn.h"
#include "smtpd/queue_broker.h"
#include "smtpd/server_options.h"
#include "smtpd/session_pool.h"
#include "wire/home.h"
#include "wire/own_program.h"
#include "wire/tcp_environment.h"

namespace postern::smtpd {

class SmtpServer {
 public:
  SmtpServer(ServerOptions options, Fd listener, SignalFd signals, QueueBroker broker);
  /// Returns only when it cannot go on.
  Error run();

 private:
  Status turn();
  void reap();
  void accept_connections();
  void greet(Fd connection, const sockaddr_storage& remote);
  void serve(const wire::TcpConnection& description, Client client);
  Result<pid_t> have_served(const Client& client, const std::string& address);
  Status start_session(const std::string& address);
  Result<pid_t> start_session_for(const Client& client, bool is_own);
  [[nodiscard]] SpawnSpec session_spec(bool is_own) const;
  void log(const std::string& line);
  void log_connection(std::string_view verdict, pid_t pid, const wire::TcpConnection& description);
  void log_end(const SessionPool::Ended& ended);
  void log_status();
  void write_log();

  ServerOptions options_;
  Fd listener_;
  SignalFd signals_;
  QueueBroker broker_;
  control::AccessRules rules_;
  std::string home_ = wire::home();
  wire::OwnProgram own_smtpd_{wire::session_stays_mark};
  SessionPool sessions_;
  Deadline not_before_;  // no connection is taken
  std::string log_;      // lines that are not written yet
};

}  // namespace postern::smtpd

// A copy of qmail-smtp-server that is qmail-smtpd: for one client, or for one address.
#pragma once

#include <string>
#include <vector>

#include "posix/fd.h"

namespace postern::smtpd {

/// A connection, and what qmail-smtpd is told of it: changes of its environment, as words
/// (wire/tcp_environment.h).
struct Client {
  Fd connection;
  std::vector<std::string> settings;
};

struct SessionSetup {
  std::vector<std::string> arguments;  // of qmail-smtpd
  int orders = -1;                     // where qmail-queues that are running take messages
  int server = -1;                     // where further clients come from (wire/kept_worker.h)
};

/// Serves `client`. After one that said QUIT, and never AUTH, it waits for another one; whoever has
/// said a password, or has left in disorder, was its last. To be called in a new process; lets go
/// of all that is the server's.
[[noreturn]] void become_session(Client client, const SessionSetup& setup);

}  // namespace postern::smtpd

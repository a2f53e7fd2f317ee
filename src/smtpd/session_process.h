// How qmail-smtpd serves clients of qmail-smtp-server: one, or several of one address.
#pragma once

#include <string>
#include <vector>

#include "posix/fd.h"
#include "smtpd/session_queue.h"
#include "wire/kept_worker.h"

namespace postern::smtpd {

/// A connection, and what qmail-smtpd is told of it: changes of its environment, as words
/// (wire/tcp_environment.h).
struct Client {
  Fd connection;
  std::vector<std::string> settings;
};

/// Serves the clients that come from the server, with `arguments` of qmail-smtpd's. After one that
/// said QUIT, and never AUTH, it waits for another one; whoever has said a password, or has left in
/// disorder, was its last. The exit code.
int serve_clients(const std::vector<std::string>& arguments, wire::KeptWorker server,
                  SessionQueue& queue);

}  // namespace postern::smtpd

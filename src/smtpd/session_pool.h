// The processes that serve clients of qmail-smtp-server: those with a client, and those that wait
// for another one from the same address.
//
// Whoever breaks into a process reads what comes to it later. So that is only what comes from his
// own address, and never a password: where there are logins, each client has a process of his own
// (ServerOptions::most_clients).
#pragma once

#include <poll.h>
#include <sys/types.h>

#include <chrono>
#include <list>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "posix/clock.h"
#include "posix/packets.h"
#include "smtpd/server_options.h"
#include "smtpd/session_process.h"

namespace postern::smtpd {

struct PoolLimits {
  std::chrono::milliseconds idle{5000};          // how long a process waits for another client
  std::size_t most_idle = 16;                    // processes that wait
  unsigned most_clients = default_most_clients;  // of one process: what it leaks is bounded
};

class SessionPool {
 public:
  explicit SessionPool(PoolLimits limits = {}) : limits_(limits) {}

  /// How many clients are being served.
  [[nodiscard]] std::size_t busy() const { return busy_; }
  /// Hands the client to a process that waits for one of this address. Its pid; nothing: there is
  /// none.
  std::optional<pid_t> give(const std::string& address, const Client& client);
  /// A process that has been started for clients of this address, and has none yet; `socket` is the
  /// server's end.
  void add(pid_t pid, Fd socket, std::string address);
  /// One that has a client already, and ends with him.
  void add_for_one(pid_t pid);

  struct Ended {
    pid_t pid = 0;
    int status = 0;  // as wait() has it
  };
  void add_to(std::vector<pollfd>& polled) const;
  /// Those that have served their client and stay. `polled` is what add_to() has added.
  std::vector<Ended> hear(std::span<const pollfd> polled);
  /// A child has ended. Nothing: it was none of these, or had no client.
  std::optional<Ended> remove(pid_t pid, int status);
  /// Lets go of those that have waited too long. In how many milliseconds it is to be called again;
  /// -1: no need.
  int tidy();

 private:
  struct Process {
    pid_t pid = 0;
    Fd socket;  // none: it is to end
    std::string address;
    unsigned clients = 0;
    bool busy = false;
    Deadline until = Deadline::never();
  };
  void rest(Process& process);

  PoolLimits limits_;
  std::list<Process> processes_;  // those that wait: the last to begin is the first
  std::size_t busy_ = 0;
};

}  // namespace postern::smtpd

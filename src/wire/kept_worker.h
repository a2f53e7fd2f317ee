// How qmail-local, qmail-remote and qmail-getpw stay for more of the work that they were started
// for (docs/wire/spawn.md, "Workers that stay"), and the sessions of qmail-smtp-server.
//   starter -> worker, for each piece of work after the first, and to a session for each:
//       qmail-local, qmail-remote   its arguments, each ended by NUL; the message as a descriptor
//       qmail-getpw                 an address's local part, ended by NUL
//       a session   changes of its environment (wire/tcp_environment.h); the connection
//   worker -> starter, when it has ended one and stays: its exit code, one byte; qmail-remote may
//       say host_unreachable in place of 0
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "posix/fd.h"

namespace postern::wire {

/// Holds the number of the worker's end of a packet socket (posix/packets.h). Whoever does not know
/// the variable works once, as ever.
inline constexpr const char* kept_worker_variable = "POSTERN_KEPT_WORKER";
/// What that number is where a worker is started.
inline constexpr int kept_worker_fd = 3;

/// argv[0] of what qmail-lspawn runs, in the qmail home.
inline constexpr std::string_view local_program = "bin/qmail-local";
/// argv[0] of what qmail-rspawn runs, if it is the suite's own.
inline constexpr std::string_view remote_program = "qmail-remote";
/// Its report is there, and none of the host's addresses could be connected to, which holds for any
/// message to that host, whoever sends it.
inline constexpr int host_unreachable = 254;
/// argv[0] of what qmail-lspawn asks about an address, in the qmail home.
inline constexpr std::string_view getpw_program = "bin/qmail-getpw";
/// Stands in the program file of a qmail-getpw that may be offered to stay, for then it asks
/// users/cdb as well. Any other is run for each address, and sees nothing of all this.
inline constexpr char getpw_stays_mark[] = "POSTERN: this qmail-getpw stays for further addresses";

/// argv[0] of what qmail-smtp-server runs, in the qmail home. Its first client comes as an order
/// too.
inline constexpr std::string_view session_program = "bin/qmail-smtpd";
/// Stands in the program file of a qmail-smtpd that may be offered to stay, and be told of
/// qmail-queues that run. Any other is run as tcpserver runs it, and sees nothing of all this.
inline constexpr char session_stays_mark[] = "POSTERN: this qmail-smtpd stays for further clients";

struct KeptOrder {
  std::vector<std::string> arguments;  // as on the command line, without the program's name
  Fd message;                          // at offset 0; none with Brings::nothing
};
std::string format_kept_order(std::span<const std::string> arguments);
/// Nothing: not a list of words that each end in NUL.
std::optional<std::vector<std::string>> parse_kept_order(std::string_view bytes);
/// Addresses, and what an empty .qmail file means, which may have some lines.
inline constexpr std::size_t most_kept_order_bytes = 65536;

/// The worker's side.
class KeptWorker {
 public:
  /// What the environment offers a program that was started by the name `argv0`. The variable goes,
  /// and the descriptor becomes close-on-exec. Nothing is offered to a program that stands in
  /// for `program` under another name: what stands in would not see the later deliveries.
  static KeptWorker from_environment(std::string_view argv0, std::string_view program);
  static KeptWorker on(Fd socket) { return KeptWorker(std::move(socket)); }
  static KeptWorker none() { return KeptWorker(Fd{}); }
  /// Somebody may have orders.
  [[nodiscard]] bool is_kept() const { return socket_.get() >= 0; }
  /// What comes with the words of an order.
  enum class Brings { message, nothing };
  /// Tells how the last delivery has ended, and waits for the next. Nothing: there is none, and the
  /// process is to exit with `exit_code`. Error: something came that cannot be taken, and whoever
  /// sent it must not hear of success.
  Result<std::optional<KeptOrder>> next(int exit_code, Brings brings = Brings::message);
  /// For a worker whose first piece of work is an order like the others.
  Result<std::optional<KeptOrder>> first(Brings brings = Brings::message);

 private:
  explicit KeptWorker(Fd socket) : socket_(std::move(socket)) {}
  Fd socket_;
};

}  // namespace postern::wire

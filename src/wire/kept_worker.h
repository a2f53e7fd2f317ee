// How a program stays for more of the work that it was started for: qmail-local and qmail-remote
// for their spawns (docs/wire/spawn.md, "Workers that stay"), qmail-queue for a server
// (docs/wire/queue.md).
//   starter -> worker, for each piece of work after the first:
//       qmail-local, qmail-remote   its arguments, each ended by NUL; the message as a descriptor
//       qmail-queue   one NUL; the message and the envelope as descriptors
//   worker -> starter, when it has ended one and stays: its exit code, one byte
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "posix/fd.h"
#include "posix/packets.h"

namespace postern::wire {

/// Holds the number of the worker's end of a packet socket (posix/packets.h). Whoever does not know
/// the variable works once, as ever.
inline constexpr const char* kept_worker_variable = "POSTERN_KEPT_WORKER";
/// What that number is where a spawn starts the worker.
inline constexpr int kept_worker_fd = 3;

/// argv[0] of what qmail-lspawn runs, in the qmail home.
inline constexpr std::string_view local_program = "bin/qmail-local";
/// argv[0] of what qmail-rspawn runs, if it is the suite's own.
inline constexpr std::string_view remote_program = "qmail-remote";

struct KeptOrder {
  std::vector<std::string> arguments;  // as on the command line, without the program's name
  Fd message;                          // at offset 0
};
std::string format_kept_order(std::span<const std::string> arguments);
/// Nothing: not a list of words that each end in NUL.
std::optional<std::vector<std::string>> parse_kept_order(std::string_view bytes);
/// Addresses, and what an empty .qmail file means, which may have some lines.
inline constexpr std::size_t most_kept_order_bytes = 65536;

/// argv[0] of qmail-queue as its callers run it, in the qmail home.
inline constexpr std::string_view queue_program = "bin/qmail-queue";
/// What tells qmail-queue, as its only argument, that there is such a socket. It may stay for
/// anybody, but heeds no variable. Any other program in its place works once.
inline constexpr std::string_view kept_queue_argument = "--stay";
inline constexpr std::string_view kept_queue_order{"\0", 1};

/// The worker's side.
class KeptWorker {
 public:
  /// What the environment offers a program that was started by the name `argv0`. The variable goes,
  /// and the descriptor becomes close-on-exec. Nothing is offered to a program that stands in
  /// for `program` under another name: what stands in would not see the later deliveries.
  static KeptWorker from_environment(std::string_view argv0, std::string_view program);
  /// The descriptor as it is; it becomes close-on-exec.
  static KeptWorker on_descriptor();
  static KeptWorker none() { return KeptWorker(Fd{}); }
  /// Tells how the last piece of work has ended, and waits for the next. Nothing: there is none,
  /// and the process is to exit with `exit_code`. Error: something came that cannot be taken, and
  /// whoever sent it must not hear of success.
  Result<std::optional<Packet>> next_packet(int exit_code);
  /// The same, as qmail-local and qmail-remote get it.
  Result<std::optional<KeptOrder>> next(int exit_code);

 private:
  explicit KeptWorker(Fd socket) : socket_(std::move(socket)) {}
  Fd socket_;
};

}  // namespace postern::wire

// How a worker that a spawn has started stays for the next delivery. Described in
// docs/wire/spawn.md, "Workers that stay".
//   spawn -> worker, once per delivery after the first: its arguments, each ended by NUL, and the
//                     message as a descriptor
//   worker -> spawn:  its exit code, one byte, when a delivery has ended and it stays
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "posix/fd.h"

namespace postern::wire {

/// Holds the number of the worker's end of a packet socket (posix/packets.h). Whoever does not know
/// the variable works once, as ever.
inline constexpr const char* kept_worker_variable = "POSTERN_KEPT_WORKER";
/// What that number is where a spawn starts the worker.
inline constexpr int kept_worker_fd = 3;

/// argv[0] of what qmail-lspawn runs, in the qmail home.
inline constexpr const char* local_program = "bin/qmail-local";

struct KeptOrder {
  std::vector<std::string> arguments;  // as on the command line, without the program's name
  Fd message;                          // at offset 0
};
std::string format_kept_order(std::span<const std::string> arguments);
/// Nothing: not a list of words that each end in NUL.
std::optional<std::vector<std::string>> parse_kept_order(std::string_view bytes);
/// Two addresses, and what an empty .qmail file means, which may have some lines.
inline constexpr std::size_t most_kept_order_bytes = 65536;

/// The worker's side.
class KeptWorker {
 public:
  /// What the environment offers a program that was started by the name `argv0`. The variable goes,
  /// and the descriptor becomes close-on-exec. Nothing is offered to a program that stands in
  /// for `program` under another name: what stands in would not see the later deliveries.
  static KeptWorker from_environment(std::string_view argv0, std::string_view program);
  /// Tells how the delivery has ended and waits for the next; nothing: there is none, and the
  /// process is to exit with `exit_code`.
  std::optional<KeptOrder> next(int exit_code);

 private:
  explicit KeptWorker(Fd socket) : socket_(std::move(socket)) {}
  Fd socket_;
};

}  // namespace postern::wire

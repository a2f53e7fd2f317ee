// How one qmail-queue takes several messages for its caller (docs/wire/queue.md, "Staying"). Over a
// socket for packets (posix/packets.h):
//   qmail-queue -> caller   one NUL: I wait for an order
//   caller -> qmail-queue   one NUL, with three descriptors: message, envelope, where to answer
// and to where it is to answer:
//   its process id in decimal and LF, when it has taken the order
//   one byte, the exit code that a program for this message alone would have had
// It says that it waits before it gives the code: an order that follows upon the code finds it
// waiting.
// What ends there without the first has not touched the message; without the second, it has
// crashed.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string_view>

#include "base/error.h"
#include "posix/fd.h"
#include "posix/spawn.h"

namespace postern::wire {

/// argv[0] of qmail-queue as its callers run it, in the qmail home.
inline constexpr std::string_view queue_program = "bin/qmail-queue";
/// What tells qmail-queue, as its only argument, that orders come on descriptor 3. A setuid program
/// heeds no variable. Any other program in its place finds an empty message and an empty envelope.
inline constexpr std::string_view serving_argument = "--serve";
inline constexpr int queue_orders_fd = 3;

inline constexpr std::string_view queue_order_bytes{"\0", 1};
inline constexpr std::size_t queue_order_descriptors = 3;

/// qmail-queue's side.
struct QueueOrder {
  Fd message;
  Fd envelope;
  Fd answer;
};
class QueueOrders {
 public:
  /// The descriptor becomes close-on-exec.
  static QueueOrders on_descriptor();
  /// Says that it waits, if it has not said so, and waits. Nothing: there will be no more. What
  /// comes and is no order is dropped.
  Result<std::optional<QueueOrder>> next();
  /// Error: nobody is there to hear it.
  static Status say_taken(const QueueOrder& order, pid_t qp);
  /// Says that it waits, and gives the code.
  void say_done(const QueueOrder& order, int exit_code);

 private:
  explicit QueueOrders(Fd socket) : socket_(std::move(socket)) {}
  Status say_waiting();
  Fd socket_;
  bool is_waiting_ = false;  // and has said so
};

/// A qmail-queue that takes orders, and the caller's end of its socket.
struct QueueServer {
  Child child;
  Fd orders;
};
/// What is started may be a program that knows nothing of orders, and ends.
Result<QueueServer> start_queue_server(const std::string& qmail_home);

/// Waits for its first word. False: it has ended without, whatever it has left behind.
bool waits_for_orders(QueueServer& server);

/// The caller's side of one order.
struct TakenOrder {
  pid_t qp = 0;
  Fd answer;
  std::optional<int> exit_code;  // if it has come already
};
/// Nothing: nobody has taken it, as far as can be told. Whoever has all the same must find these
/// descriptors at their end, and no message.
std::optional<TakenOrder> give_order(int orders, int message, int envelope);
/// Waits for it. Nothing: qmail-queue has crashed.
std::optional<int> read_exit_code(const TakenOrder& order);

}  // namespace postern::wire

// The caller's side of qmail-queue: how smtpd, inject, local, send and qmtpd put a message into the
// queue. Message on the program's descriptor 0, envelope on 1, its error text on 6.
// $QMAILQUEUE names another program. Described in docs/wire/queue.md.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "posix/fd.h"
#include "posix/spawn.h"
#include "wire/home.h"
#include "wire/queue_exit.h"
#include "wire/queue_orders.h"

namespace postern::wire {

/// What became of a message.
struct QueueReply {
  std::string problem;  // empty: queued, and durable; else "D..." (permanent) or "Z..." (temporary)
  pid_t qp = 0;         // process id of qmail-queue, as replies and logs show it

  [[nodiscard]] bool accepted() const { return problem.empty(); }
  [[nodiscard]] bool permanent() const { return problem.starts_with('D'); }
};

/// Where a caller who may have many messages gives its orders (wire/queue_orders.h).
struct KeptQueue {
  Fd orders;
  Child child;              // the qmail-queue that takes them, if it is ours; ends when this goes
  bool wanted = false;      // there has been one message, so there may be more
  bool works_once = false;  // what stands at bin/qmail-queue takes no orders
};

/// One message on its way into the queue. The order of calls is: write()..., then sender(), then
/// recipient()..., then finish(). A failed write is remembered and told by finish().
/// Destroyed before finish(): qmail-queue sees a cut-off envelope, and nothing is queued.
class QueueClient {
 public:
  /// Starts qmail-queue. Error: a pipe or process could not be made (callers say "qqt failure").
  /// The process running must ignore SIGPIPE.
  /// `diagnostics` becomes the program's descriptor 2, for a caller whose own 2 is something else.
  static Result<QueueClient> open(const std::string& qmail_home = home(), int diagnostics = 2);
  /// The same, for a caller that may have many messages. Where `kept` can be given orders, or from
  /// the second message on, a qmail-queue that stays gets them; where none takes the order, one
  /// is started for the message. What $QMAILQUEUE names is run for each message.
  static Result<QueueClient> open(KeptQueue& kept);
  QueueClient(QueueClient&&) = default;
  QueueClient& operator=(QueueClient&&) = default;
  ~QueueClient();

  [[nodiscard]] pid_t qp() const { return qp_; }
  void write(std::string_view bytes);
  void sender(std::string_view address);
  void recipient(std::string_view address);
  /// The message is not wanted after all: finish() will report a read error, nothing is queued.
  void fail() { failed_ = true; }
  /// Ends the envelope and waits for qmail-queue's verdict. Only problem.empty() means accepted.
  QueueReply finish();

 private:
  struct Pipes;

  QueueClient() = default;
  static Result<QueueClient> start(Pipes pipes, const std::string& qmail_home, int diagnostics);
  void use(Pipes pipes, pid_t qp);
  bool order(KeptQueue& kept);
  std::string read_error_text();
  QueueReply judge(std::optional<int> exit_code, const std::string& text) const;
  void put(int fd, std::string_view bytes);
  void flush();

  Child child_;
  pid_t qp_ = 0;
  Fd message_;
  Fd envelope_;
  Fd error_text_;
  std::string buffer_;
  bool failed_ = false;
  std::optional<TakenOrder> taken_;         // where qmail-queue did not have to be started
  std::optional<QueueExit> start_failure_;  // qmail-queue never ran; finish() says why
};

}  // namespace postern::wire

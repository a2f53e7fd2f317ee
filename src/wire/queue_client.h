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

namespace postern::wire {

/// What became of a message.
struct QueueReply {
  std::string problem;  // empty: queued, and durable; else "D..." (permanent) or "Z..." (temporary)
  pid_t qp = 0;         // process id of qmail-queue, as replies and logs show it

  [[nodiscard]] bool accepted() const { return problem.empty(); }
  [[nodiscard]] bool permanent() const { return problem.starts_with('D'); }
};

/// A qmail-queue that has queued one message and waits for another (wire/kept_worker.h). It goes
/// when this does.
struct KeptQueue {
  Child child;
  Fd socket;
  bool wanted = false;  // there has been one message, so there may be more
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
  /// The same, for a caller that may have many messages: uses the qmail-queue in `kept`, if it
  /// holds one; else starts one and, from the second message on, offers it to stay. finish() leaves
  /// it in `kept`, which outlives this. What $QMAILQUEUE names is run for each message.
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
  static Result<QueueClient> start(Pipes pipes, const std::string& qmail_home, int diagnostics,
                                   KeptQueue* kept);
  void use(Pipes pipes, Child child);
  bool hand_over(Pipes& pipes, KeptQueue& kept);
  bool waits_for_more(std::string& text);
  bool read_error_text(std::string& text);
  void put(int fd, std::string_view bytes);
  void flush();

  Child child_;
  pid_t qp_ = 0;
  Fd message_;
  Fd envelope_;
  Fd error_text_;
  std::string buffer_;
  Fd socket_;                  // where qmail-queue may say that it stays
  KeptQueue* kept_ = nullptr;  // and where it then belongs
  bool handed_over_ = false;   // to one that had stayed: only its word on the socket is success
  bool failed_ = false;
  std::optional<QueueExit> start_failure_;  // qmail-queue never ran; finish() says why
};

}  // namespace postern::wire

// Where a server puts messages: qmail-queue, or what $QMAILQUEUE names. An interface, so that tests
// of a dialogue can stand in for the program.
#pragma once

#include <memory>
#include <string_view>

#include "base/error.h"
#include "wire/queue_client.h"

namespace postern::wire {

/// A message on its way into the queue, with the order of calls of QueueClient. Destroyed before
/// finish(): nothing is queued.
class OutgoingMessage {
 public:
  virtual ~OutgoingMessage() = default;
  virtual void write(std::string_view bytes) = 0;
  virtual void sender(std::string_view address) = 0;
  virtual void recipient(std::string_view address) = 0;
  virtual QueueReply finish() = 0;
};

class MessageQueue {
 public:
  virtual ~MessageQueue() = default;
  virtual Result<std::unique_ptr<OutgoingMessage>> open() = 0;
};

/// The program itself, which may stay for the next message. The current directory need not be the
/// qmail home. Outlives its messages.
class QueueProgram : public MessageQueue {
 public:
  QueueProgram() = default;
  /// `orders` is where qmail-queues that are running take messages, if there are any.
  explicit QueueProgram(Fd orders) { kept_.orders = std::move(orders); }
  Result<std::unique_ptr<OutgoingMessage>> open() override;

 private:
  KeptQueue kept_;
};

}  // namespace postern::wire

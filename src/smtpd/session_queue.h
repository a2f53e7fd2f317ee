// Where a qmail-smtpd has its messages queued: by the qmail-queues that qmail-smtp-server keeps, if
// it is one of its sessions; or else by one of its own.
#pragma once

#include <optional>
#include <string>

#include "wire/message_queue.h"

namespace postern::smtpd {

/// The home of the qmail-queues that take orders (wire/queue_orders.h) on session_orders_fd.
inline constexpr const char* session_orders_variable = "POSTERN_QUEUE_ORDERS";
inline constexpr int session_orders_fd = 4;

class SessionQueue {
 public:
  /// What the environment offers. The variable goes, and the descriptor becomes close-on-exec: no
  /// program that a session runs has a hand on the qmail-queues.
  static SessionQueue from_environment();
  /// For a client with the environment as it is now: a rule may have moved the home, and with it
  /// the queue. Until the next call.
  wire::MessageQueue& for_this_client();

 private:
  SessionQueue(std::optional<std::string> home, Fd orders)
      : home_(std::move(home)), served_(std::move(orders)) {}

  std::optional<std::string> home_;
  wire::QueueProgram served_;
  std::optional<wire::QueueProgram> own_;
};

}  // namespace postern::smtpd

// Takes one message into the queue: states S1 to S4 of docs/QUEUE.md, in the order that makes
// success a promise. Descriptors and formats: docs/wire/queue.md.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "base/error.h"
#include "queue/disk.h"
#include "wire/descriptors.h"
#include "wire/queue_exit.h"

namespace postern::queue {

struct Submission {
  int message_fd = wire::queue_fd::message;
  int envelope_fd = wire::queue_fd::envelope;
  pid_t pid = 0;        // of this process: "qp" in logs and replies
  uid_t uid = 0;        // real user id of the caller
  std::string invoker;  // as describe_invoker() words it
  std::int64_t now = 0;
};

/// Why a message was not taken. An empty reason: the caller's own doing, not worth a log line.
struct Refusal {
  wire::QueueExit code;
  Error reason;
};

/// Success: the message is in the queue, durably, and qmail-send has been woken. Refusal: nothing
/// will be delivered, with one exception (see docs/QUEUE.md, "When the last sync fails"), and the
/// files made are gone again. The current directory is HOME/queue. Reads message_fd to its end
/// before envelope_fd; memory does not grow with the message or the number of recipients.
std::expected<void, Refusal> enqueue(const Submission& submission, Disk& disk);

}  // namespace postern::queue

// Finding the messages that were in the queue before this process began, a few at a time, so that
// mail goes on while a long queue is read.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "send/due_queue.h"
#include "send/log.h"
#include "send/queue_file.h"

namespace postern::send {

class Loader {
 public:
  /// A message of the queue, and when each channel is next due; nothing: nobody is left there.
  struct Loaded {
    wire::MessageId id = 0;
    std::optional<std::int64_t> local;
    std::optional<std::int64_t> remote;
  };

  explicit Loader(Log& log) : log_(log) {}
  /// The next id to be looked at by load(), if the caller does not know the message yet.
  std::optional<wire::MessageId> next(std::int64_t now);
  /// Nothing: no message that is ours (still in todo, or gone), or the system does not say; then
  /// it comes again later.
  std::optional<Loaded> load(wire::MessageId id, std::int64_t now);
  void make_all_due(std::int64_t now);
  /// When next() may have something; 0 for at once.
  [[nodiscard]] std::optional<std::int64_t> next_time() const;

 private:
  Log& log_;
  QueueWalk walk_{"info"};
  bool walking_ = true;
  std::int64_t walk_again_ = 0;
  DueQueue failed_;
};

}  // namespace postern::send

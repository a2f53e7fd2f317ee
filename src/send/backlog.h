// The messages that wait for delivery on one channel, and which of them is next.
//
// Mail that has never been tried and mail that waits for another try stand in two lines. With one
// line, ten thousand messages for a host that is down would all be due before a message that has
// just come, and each holds a delivery for as long as a connection takes to time out. So fresh mail
// goes first, retries never take the last quarter of the deliveries, and one choice in four is a
// retry whatever else waits, so that neither line can stop the other.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>

#include "send/due_queue.h"

namespace postern::send {

/// How many of `limit` deliveries retries may hold at the same time.
constexpr unsigned most_retries(unsigned limit) { return limit - limit / 4; }

class Backlog {
 public:
  struct Choice {
    wire::MessageId id;
    bool is_retry;
  };
  /// Of which kinds another message may be begun.
  struct Allowed {
    bool fresh = true;
    bool retries = true;
  };

  void add_fresh(wire::MessageId id) { fresh_.push_back(id); }
  void add_retry(wire::MessageId id, std::int64_t when) { retries_.add(id, when); }

  /// Takes the message to try next, if one is due.
  std::optional<Choice> take(std::int64_t now, Allowed allowed);
  /// When take() will have something: 0 for at once, nothing for "not before something changes".
  [[nodiscard]] std::optional<std::int64_t> next(Allowed allowed) const;

  void make_all_due(std::int64_t now) { retries_.make_all_due(now); }
  /// The messages that wait for a time, to be remembered over a restart.
  [[nodiscard]] std::span<const DueQueue::Entry> retries() const { return retries_.entries(); }

 private:
  std::optional<Choice> take_fresh();
  std::optional<Choice> take_retry(std::int64_t now);

  std::deque<wire::MessageId> fresh_;
  DueQueue retries_;
  unsigned fresh_in_a_row_ = 0;
};

}  // namespace postern::send

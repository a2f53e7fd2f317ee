// The end of a message: everybody on both channels is done. Its bounce, if there is one, is handed
// to qmail-queue, and then the message leaves the queue: info, then (by qmail-clean) mess.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "send/bouncer.h"
#include "send/cleaner.h"
#include "send/due_queue.h"
#include "send/log.h"

namespace postern::send {

class Finisher {
 public:
  Finisher(BounceInjector& injector, Cleaner& cleaner, Log& log)
      : injector_(injector), cleaner_(cleaner), log_(log) {}

  /// A message with neither local nor remote file.
  void add(wire::MessageId id, std::int64_t when) { due_.add(id, when); }
  /// A message that its first try has delivered: its text and its todo file stand, and perhaps what
  /// was begun of its files.
  void add_delivered(wire::MessageId id, bool may_have_files, std::int64_t now);
  /// qmail-clean's answer to a todo order. False: it was not ours.
  bool cleaned(wire::MessageId id, bool done, std::int64_t now);
  /// Hears of injections that have ended.
  void collect(std::int64_t now);
  /// Does a moment's work, and collects.
  void work(std::int64_t now);
  /// When work() has something to do; 0 for at once.
  [[nodiscard]] std::optional<std::int64_t> next() const { return due_.next(); }
  /// Bounces being injected.
  [[nodiscard]] unsigned injecting() const { return injecting_; }
  /// Messages that have left the queue: info/N and todo/N are gone, and mess/N is going.
  std::vector<wire::MessageId> take_ended() { return std::exchange(ended_, {}); }
  void make_all_due(std::int64_t now) { due_.make_all_due(now); }

 private:
  enum class Bounce { none, waiting, trouble };
  void finish(wire::MessageId id, std::int64_t now);
  Bounce begin_bounce(wire::MessageId id, std::int64_t now);
  Bounce discard(wire::MessageId id);
  void bounced(const BounceInjector::Injected& injected, std::int64_t now);
  bool remove_bounce(wire::MessageId id);
  void end(wire::MessageId id, std::int64_t now);
  void take_out_of_todo(wire::MessageId id, std::int64_t now);
  bool remove_begun_files(wire::MessageId id);
  void leave(wire::MessageId id);
  void try_later(wire::MessageId id, std::int64_t now);

  BounceInjector& injector_;
  Cleaner& cleaner_;
  Log& log_;
  DueQueue due_;
  std::deque<wire::MessageId> bounces_;  // wait for an injection to end
  unsigned injecting_ = 0;
  std::unordered_map<wire::MessageId, bool> in_todo_;  // delivered; whether there may be files
  std::unordered_set<wire::MessageId> bounced_;  // sent, but bounce/N could not be removed yet
  std::vector<wire::MessageId> ended_;
};

}  // namespace postern::send

// Messages that were never queued: a qmail-queue that was killed leaves a mess file, perhaps an
// intd file, and nobody else will ever touch them. From time to time this looks for such files,
// old enough that no qmail-queue can still be writing them, and locked by none, and has qmail-clean
// remove them.
#pragma once

#include <cstdint>
#include <optional>

#include "send/cleaner.h"
#include "send/log.h"
#include "send/queue_file.h"

namespace postern::send {

class Debris {
 public:
  Debris(Cleaner& cleaner, Log& log) : cleaner_(cleaner), log_(log) {}
  /// Does a moment's work.
  void work(std::int64_t now);
  /// When work() has something to do, 0 for at once; nothing: not before qmail-clean is idle.
  [[nodiscard]] std::optional<std::int64_t> next() const;

 private:
  Cleaner& cleaner_;
  Log& log_;
  std::optional<QueueWalk> walk_;
  std::int64_t next_sweep_ = 0;
};

}  // namespace postern::send

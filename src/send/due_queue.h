// Messages ordered by the time they are next due. Adding and taking cost the logarithm of the
// length; each entry takes 16 bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "wire/queue_names.h"

namespace postern::send {

class DueQueue {
 public:
  struct Entry {
    std::int64_t when;  // seconds since 1970
    wire::MessageId id;
  };

  void add(wire::MessageId id, std::int64_t when);
  /// Takes the entry that has been due for longest; nothing when none is due at `now`.
  std::optional<wire::MessageId> take_due(std::int64_t now);
  /// When the first becomes due; nothing when there is none.
  [[nodiscard]] std::optional<std::int64_t> next() const;
  /// What was to wait is due at `now`; the order stays.
  void make_all_due(std::int64_t now);
  [[nodiscard]] bool empty() const { return entries_.empty(); }
  /// In no particular order.
  [[nodiscard]] std::span<const Entry> entries() const { return entries_; }

 private:
  std::vector<Entry> entries_;  // a heap
};

}  // namespace postern::send

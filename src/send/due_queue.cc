#include "send/due_queue.h"

#include <algorithm>

namespace postern::send {
namespace {

bool is_later(const DueQueue::Entry& a, const DueQueue::Entry& b) { return a.when > b.when; }

}  // namespace

void DueQueue::add(wire::MessageId id, std::int64_t when) {
  entries_.push_back({when, id});
  std::ranges::push_heap(entries_, is_later);
}

std::optional<wire::MessageId> DueQueue::take_due(std::int64_t now) {
  if (entries_.empty() || entries_.front().when > now) return std::nullopt;
  std::ranges::pop_heap(entries_, is_later);
  const wire::MessageId id = entries_.back().id;
  entries_.pop_back();
  return id;
}

std::optional<std::int64_t> DueQueue::next() const {
  if (entries_.empty()) return std::nullopt;
  return entries_.front().when;
}

void DueQueue::make_all_due(std::int64_t now) {
  // min() keeps the order between any two entries, so a heap stays a heap.
  for (auto& entry : entries_) entry.when = std::min(entry.when, now);
}

}  // namespace postern::send

#include "send/todo_scan.h"

#include <algorithm>

#include "wire/time_limits.h"

namespace postern::send {
namespace {

// Anybody on this machine may pull the trigger. However often somebody does, scans keep this
// distance; under load it lets a few messages come together and share their syncs.
constexpr auto least_distance = std::chrono::milliseconds{2};
// What a large todo costs to read is to stay a small part of the time.
constexpr auto distance_for_an_entry = std::chrono::microseconds{20};
// How long to wait when a directory or the trigger cannot be opened or read, in seconds.
constexpr std::int64_t directory_trouble_pause = 10;

}  // namespace

std::optional<std::chrono::milliseconds> TodoScan::pull_waits() const {
  if (!pulled_) return std::nullopt;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(last_begin_ + least_distance +
                                                                 seen_ * distance_for_an_entry -
                                                                 std::chrono::steady_clock::now());
  return std::max(left, std::chrono::milliseconds{0});
}

bool TodoScan::begin(std::int64_t now) {
  const auto wait = pull_waits();
  if ((!wait || wait->count() > 0) && now < next_scan_) return false;
  // The trigger is armed before the directory is read: a message that comes too late to be seen by
  // this scan pulls it for the next one.
  // Without it there is still the scan from time to time.
  const auto armed = trigger_.rearm();
  if (!armed) log_.warning({describe(armed.error()), "; new mail is not seen at once"});
  pulled_ = false;
  seen_ = 0;
  last_begin_ = std::chrono::steady_clock::now();
  std::erase_if(postponed_, [now](const auto& entry) { return entry.second <= now; });
  auto ids = IdsInDirectory::open("todo");
  if (!ids) {
    log_.alert({"unable to opendir todo, sleeping..."});
    next_scan_ = now + directory_trouble_pause;
    return false;
  }
  ids_ = std::move(*ids);
  // What is only short of descriptors for a moment must not keep new mail waiting for long.
  next_scan_ = now + (armed ? wire::todo_scan_interval : directory_trouble_pause);
  for (const auto& [id, until] : postponed_) next_scan_ = std::min(next_scan_, until);
  return true;
}

std::optional<wire::MessageId> TodoScan::next(std::int64_t now) {
  if (!ids_ && !begin(now)) return std::nullopt;
  for (;;) {
    const auto id = ids_->next();
    if (id && *id && postponed_.contains(**id)) continue;
    if (id && *id) {
      ++seen_;
      return *id;
    }
    ids_.reset();
    if (!id) {
      log_.alert({"unable to read todo, sleeping..."});
      next_scan_ = std::min(next_scan_, now + directory_trouble_pause);
    }
    return std::nullopt;
  }
}

void TodoScan::postpone(wire::MessageId id, std::int64_t now, std::int64_t pause) {
  const std::int64_t until = now + pause;
  postponed_.insert_or_assign(id, until);
  next_scan_ = std::min(next_scan_, until);
}

void TodoScan::make_all_due(std::int64_t now) {
  postponed_.clear();
  next_scan_ = std::min(next_scan_, now);
}

}  // namespace postern::send

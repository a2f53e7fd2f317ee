#include "send/debris.h"

#include <cerrno>

#include "posix/files.h"
#include "posix/lock.h"
#include "wire/time_limits.h"

namespace postern::send {
namespace {

constexpr int most_files_per_turn = 128;

bool is_absent(const std::string& path) {
  const auto info = stat_file(path);
  return !info && info.error().code == ENOENT;
}

// qmail-queue holds a lock from before mess/N has its name until it ends.
bool is_being_written(const std::string& mess) {
  const auto file = open_queue_file(mess);
  return !file || !try_lock(file->get());
}

// The age alone does not tell: when the clock is set forward, what is just being written is old
// too. todo/N is looked for last, when no qmail-queue is there any more that could still make it.
bool is_debris(wire::MessageId id, std::int64_t now) {
  const std::string path = wire::mess_path(id);
  const auto mess = stat_file(path);
  return mess && mess->st_atime < now - wire::debris_age && is_absent(wire::info_path(id)) &&
         !is_being_written(path) && is_absent(wire::todo_path(id));
}

}  // namespace

std::optional<std::int64_t> Debris::next() const {
  if (!walk_) return next_sweep_;
  if (!cleaner_.idle()) return std::nullopt;
  return 0;
}

// Looks only while qmail-clean is idle. The file of a message that has just ended is as old, and as
// alone, as debris; were it ordered away twice, the second order could meet a new message, which
// got the same number in between.
void Debris::work(std::int64_t now) {
  if (!walk_ && now >= next_sweep_) {
    walk_.emplace("mess");
    next_sweep_ = now + wire::debris_scan_interval;
  }
  for (int files = 0; files < most_files_per_turn && walk_ && cleaner_.idle(); ++files) {
    const auto id = walk_->next();
    if (!id) {
      log_.alert({"unable to opendir ", walk_->directory(), ", sleeping..."});
      next_sweep_ = now + wire::system_failure_pause;
      walk_.reset();
    } else if (!*id) {
      walk_.reset();
    } else if (is_debris(**id, now)) {
      cleaner_.add({wire::CleanOrder::Kind::message, **id});
    }
  }
}

}  // namespace postern::send

#include "send/loader.h"

#include <algorithm>
#include <cerrno>

#include "posix/files.h"
#include "send/channel.h"
#include "wire/time_limits.h"

namespace postern::send {
namespace {

constexpr std::int64_t directory_trouble_pause = 10;  // seconds

// When the file was changed last: for a recipients' file, when its next try is due. Nothing: there
// is no such file.
Result<std::optional<std::int64_t>> change_time(const std::string& path) {
  const auto info = stat_file(path);
  if (info) return info->st_mtime;
  if (info.error().code == ENOENT) return std::nullopt;
  return std::unexpected(info.error());
}

}  // namespace

std::optional<std::int64_t> Loader::next_time() const {
  const auto failed = failed_.next();
  if (!walking_) return failed;
  return failed ? std::min(*failed, walk_again_) : walk_again_;
}

void Loader::make_all_due(std::int64_t now) {
  failed_.make_all_due(now);
  walk_again_ = std::min(walk_again_, now);
}

std::optional<wire::MessageId> Loader::next(std::int64_t now) {
  if (const auto id = failed_.take_due(now)) return id;
  if (!walking_ || now < walk_again_) return std::nullopt;
  const auto id = walk_.next();
  if (!id) {
    log_.alert({"unable to opendir ", walk_.directory(), ", sleeping..."});
    walk_again_ = now + directory_trouble_pause;
    return std::nullopt;
  }
  walking_ = id->has_value();
  return *id;
}

std::optional<Loader::Loaded> Loader::load(wire::MessageId id, std::int64_t now) {
  std::optional<std::int64_t> times[4];
  const std::string paths[4] = {wire::info_path(id), wire::todo_path(id), wire::local_path(id),
                                wire::remote_path(id)};
  for (int i = 0; i < 4; ++i) {
    const auto time = change_time(paths[i]);
    if (!time) {
      log_.warning({"unable to stat ", paths[i], "; will try again later"});
      failed_.add(id, now + wire::system_failure_pause);
      return std::nullopt;
    }
    times[i] = *time;
    // Without info there is no message. With todo, it has yet to be preprocessed, from the start.
    if (i == 0 && !times[i]) return std::nullopt;
    if (i == 1 && times[i]) return std::nullopt;
  }
  return Loaded{id, times[2], times[3]};
}

}  // namespace postern::send

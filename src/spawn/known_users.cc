#include "spawn/known_users.h"

#include "posix/files.h"

namespace postern::spawning {

std::optional<wire::LocalUser> KnownUsers::find(const std::string& local) {
  if (auto now = versions(); now != seen_) {
    seen_ = std::move(now);
    answers_.clear();
  }
  const auto found = answers_.find(local);
  if (found == answers_.end()) return std::nullopt;
  if (clock_() - found->second.when < lifetime) return found->second.user;
  answers_.erase(found);
  return std::nullopt;
}

// Strangers choose the addresses: a flood of them ends what is known, and takes no more memory.
void KnownUsers::remember(const std::string& local, wire::LocalUser user) {
  if (answers_.size() >= most) answers_.clear();
  answers_.insert_or_assign(local, Answer{std::move(user), clock_()});
}

std::vector<KnownUsers::Version> KnownUsers::versions() const {
  std::vector<Version> found;
  for (const auto& path : sources_) {
    const auto info = stat_file(path);
    found.push_back(info ? Version{info->st_ino, info->st_size,
                                   info->st_ctim.tv_sec * 1'000'000'000 + info->st_ctim.tv_nsec}
                         : Version{});
  }
  return found;
}

}  // namespace postern::spawning

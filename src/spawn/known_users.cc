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

std::vector<std::string> KnownUsers::versions() const {
  std::vector<std::string> found;
  found.reserve(sources_.size());
  for (const auto& path : sources_) found.push_back(file_version(path));
  return found;
}

}  // namespace postern::spawning

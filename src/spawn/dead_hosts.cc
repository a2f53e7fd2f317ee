#include "spawn/dead_hosts.h"

#include <algorithm>

namespace postern::spawning {

std::optional<std::string> DeadHosts::answer(const std::string& host) {
  const auto found = hosts_.find(host);
  if (found == hosts_.end() || found->second.count < tries) return std::nullopt;
  Failures& failures = found->second;
  const Time now = clock_();
  if (now >= failures.last + lifetime) return std::nullopt;
  if (now < failures.next_try) return failures.said;
  failures.next_try = now + between_tries;
  return std::nullopt;
}

// Strangers choose the hosts: a flood of them ends what is known, and takes no more memory.
void DeadHosts::failed(const std::string& host, std::string said) {
  if (said.size() > most_said_bytes) return reached(host);
  if (hosts_.size() >= most && !hosts_.contains(host)) hosts_.clear();
  const Time now = clock_();
  Failures& failures = hosts_[host];
  if (now - failures.last > most_between_failures) failures.count = 0;
  failures.count = std::min(failures.count + 1, tries);
  failures.last = now;
  failures.next_try = now + between_tries;
  failures.said = std::move(said);
}

}  // namespace postern::spawning

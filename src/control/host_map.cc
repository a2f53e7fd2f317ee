#include "control/host_map.h"

#include "base/ascii.h"

namespace postern::control {

HostSet::HostSet(const std::vector<std::string>& lines) {
  for (const auto& line : lines) names_.insert(lower(line));
}

bool HostSet::contains(std::string_view name) const { return names_.contains(lower(name)); }

HostMap::HostMap(const std::vector<std::string>& lines) {
  for (const auto& line : lines) {
    const std::size_t colon = line.find(':');
    if (colon == std::string::npos) continue;
    values_.insert_or_assign(lower(line.substr(0, colon)), line.substr(colon + 1));
  }
}

std::optional<std::string_view> HostMap::find(std::string_view key) const {
  const auto found = values_.find(lower(key));
  if (found == values_.end()) return std::nullopt;
  return found->second;
}

std::vector<std::string_view> host_keys(std::string_view host, bool with_empty) {
  std::vector<std::string_view> keys;
  if (!host.empty()) keys.push_back(host);
  for (std::size_t i = 1; i < host.size(); ++i) {
    if (host[i] == '.') keys.push_back(host.substr(i));
  }
  if (with_empty) keys.emplace_back();
  return keys;
}

}  // namespace postern::control

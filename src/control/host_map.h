// Lookup tables made from list files: sets of names (rcpthosts, locals) and keyed lines
// (virtualdomains, smtproutes). Keys are compared without case; the last line of a key wins.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace postern::control {

class HostSet {
 public:
  HostSet() = default;
  explicit HostSet(const std::vector<std::string>& lines);
  [[nodiscard]] bool contains(std::string_view name) const;
  [[nodiscard]] bool empty() const { return names_.empty(); }

 private:
  std::unordered_set<std::string> names_;  // lower case
};

class HostMap {
 public:
  HostMap() = default;
  /// Lines "key:value", split at the first colon; a line without one is ignored, as qmail does.
  explicit HostMap(const std::vector<std::string>& lines);
  /// The value of a key, exactly (but for case).
  [[nodiscard]] std::optional<std::string_view> find(std::string_view key) const;
  [[nodiscard]] bool empty() const { return values_.empty(); }

 private:
  std::unordered_map<std::string, std::string> values_;  // lower-case key
};

/// The keys that `host` is looked up by, most telling first: the host itself, then what begins at
/// each of its dots (".example.org", ".org"), and the empty key where `with_empty`.
std::vector<std::string_view> host_keys(std::string_view host, bool with_empty);

}  // namespace postern::control

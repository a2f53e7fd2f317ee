#include "control/access_rules.h"

#include "posix/files.h"

namespace postern::control {

AccessRule parse_access_rule(std::string_view value) {
  AccessRule rule;
  for (std::size_t end = 0; (end = value.find('\0')) != std::string_view::npos;
       value.remove_prefix(end + 1)) {
    const std::string_view part = value.substr(0, end);
    const std::size_t equals = part.find('=');
    if (part.starts_with('D')) rule.deny = true;
    if (!part.starts_with('+') || equals == std::string_view::npos) continue;
    rule.settings.push_back(
        {std::string(part.substr(1, equals - 1)), std::string(part.substr(equals + 1))});
  }
  return rule;
}

std::vector<std::string> access_rule_keys(std::string_view ip) {
  std::vector<std::string> keys = {std::string(ip)};
  while (!ip.empty()) {
    ip.remove_suffix(1);
    if (ip.empty() || ip.ends_with('.') || ip.ends_with(':')) keys.emplace_back(ip);
  }
  return keys;
}

Status AccessRules::refresh() {
  auto version = file_version(path_);
  if (rules_ && version == version_) return {};
  rules_.reset();
  auto opened = Cdb::open(path_, Cdb::Access::by_reading);
  if (!opened) return std::unexpected(opened.error());
  rules_ = std::make_unique<Cdb>(std::move(*opened));
  version_ = std::move(version);
  return {};
}

Result<AccessRule> AccessRules::find(std::string_view ip) {
  if (auto done = refresh(); !done) return std::unexpected(done.error());
  for (const auto& key : access_rule_keys(ip)) {
    const auto value = rules_->find(key);
    if (!value) return std::unexpected(value.error());
    if (*value) return parse_access_rule(**value);
  }
  return AccessRule{};
}

}  // namespace postern::control

#include "mail/header.h"

#include <algorithm>

#include "base/ascii.h"

namespace postern::mail {

std::optional<std::string_view> field_name(std::string_view line) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const std::string_view name = trim_end(line.substr(0, colon));
  if (name.empty() || !std::ranges::all_of(name, is_visible)) return std::nullopt;
  return name;
}

std::string_view field_body(std::string_view field) { return field.substr(field.find(':') + 1); }

bool is_continuation(std::string_view line) { return !line.empty() && is_blank(line.front()); }

}  // namespace postern::mail

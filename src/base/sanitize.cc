#include "base/sanitize.h"

#include <algorithm>

#include "base/ascii.h"

namespace postern {

std::string sanitize_for_log(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(), [](char c) {
    if (c == '\n') return '/';
    return is_visible(c) && c != '%' ? c : '_';
  });
  return result;
}

std::string sanitize_for_received(std::string_view text) {
  constexpr std::string_view safe = ".@%+/=:-[]";
  std::string result(text);
  std::ranges::transform(result, result.begin(), [&](char c) {
    return is_letter(c) || is_digit(c) || safe.contains(c) ? c : '?';
  });
  return result;
}

}  // namespace postern

#include "mail/xtext.h"

#include <charconv>

#include "base/ascii.h"

namespace postern::mail {

std::string format_xtext(std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string xtext;
  for (const char c : text) {
    if (is_visible(c) && c != '+' && c != '=') {
      xtext += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      xtext += {'+', digits[byte >> 4], digits[byte & 15]};
    }
  }
  return xtext;
}

std::string parse_xtext(std::string_view xtext) {
  std::string text;
  while (!xtext.empty()) {
    unsigned byte = 0;
    const std::string_view digits = xtext.substr(1, 2);
    const auto [end, code] =
        std::from_chars(digits.data(), digits.data() + digits.size(), byte, 16);
    if (xtext.front() == '+' && code == std::errc{} && end == digits.data() + 2) {
      text += static_cast<char>(byte);
      xtext.remove_prefix(3);
    } else {
      text += xtext.front();
      xtext.remove_prefix(1);
    }
  }
  return text;
}

}  // namespace postern::mail

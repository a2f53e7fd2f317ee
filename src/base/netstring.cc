#include "base/netstring.h"

#include "base/ascii.h"
#include "base/integers.h"

namespace postern {

std::string format_netstring(std::string_view text) {
  std::string result = std::to_string(text.size());
  result += ':';
  result += text;
  result += ',';
  return result;
}

std::optional<std::string_view> take_netstring(std::string_view& input) {
  const std::size_t colon = input.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const std::string_view digits = input.substr(0, colon);
  if (digits.size() > 1 && digits.front() == '0') return std::nullopt;
  const auto length = parse_decimal<std::size_t>(digits);
  const std::string_view rest = input.substr(colon + 1);
  if (!length || *length >= rest.size() || rest[*length] != ',') return std::nullopt;
  input = rest.substr(*length + 1);
  return rest.substr(0, *length);
}

NetstringLength::State NetstringLength::take(char c) {
  if (c == ':' && !at_begin_) {
    at_begin_ = true;
    return State::complete;
  }
  if (!is_digit(c)) return State::malformed;
  if (at_begin_) {
    value_ = 0;
    is_zero_ = c == '0';
  } else if (is_zero_) {
    return State::malformed;
  }
  at_begin_ = false;
  value_ = value_ * 10 + static_cast<std::uint64_t>(c - '0');
  return value_ > most_ ? State::too_large : State::unfinished;
}

}  // namespace postern

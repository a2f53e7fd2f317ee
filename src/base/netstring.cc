#include "base/netstring.h"

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

}  // namespace postern

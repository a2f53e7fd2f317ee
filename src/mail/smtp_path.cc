#include "mail/smtp_path.h"

#include <algorithm>
#include <limits>

#include "base/ascii.h"
#include "base/integers.h"
#include "mail/xtext.h"

namespace postern::mail {
namespace {

// The old "@relay,@relay:" before an address is to be ignored (RFC 5321 4.1.1.3).
std::string_view without_source_route(std::string_view text) {
  if (!text.starts_with('@')) return text;
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos || colon > text.find('>')) return text;
  return text.substr(colon + 1);
}

// Takes what stands before the first unquoted `end`, and `end` itself, off the front of `rest`.
std::string take_unquoted(std::string_view& rest, char end) {
  std::string address;
  bool escaped = false;
  bool quoted = false;
  std::size_t i = 0;
  for (; i < rest.size(); ++i) {
    const char c = rest[i];
    if (escaped) {
      address += c;
      escaped = false;
    } else if (c == end && !quoted) {
      break;
    } else if (c == '\\') {
      escaped = true;
    } else if (c == '"') {
      quoted = !quoted;
    } else {
      address += c;
    }
  }
  rest.remove_prefix(std::min(i + 1, rest.size()));
  return address;
}

void read_parameter(MailParameters& found, std::string_view word) {
  if (starts_with_ignoring_case(word, "SIZE=")) {
    const std::string_view digits = word.substr(5);
    found.malformed |= digits.empty() || !std::ranges::all_of(digits, is_digit);
    found.size = parse_decimal(digits).value_or(std::numeric_limits<std::uint64_t>::max());
  } else if (starts_with_ignoring_case(word, "AUTH=")) {
    found.auth = parse_xtext(word.substr(5));
  }
}

}  // namespace

SmtpPath parse_smtp_path(std::string_view argument) {
  const std::size_t bracket = argument.find('<');
  if (bracket != std::string_view::npos) {
    std::string_view rest = without_source_route(argument.substr(bracket + 1));
    std::string address = take_unquoted(rest, '>');
    return {std::move(address), rest};
  }
  const std::size_t colon = argument.find(':');
  if (colon != std::string_view::npos) argument.remove_prefix(colon + 1);
  std::string_view rest = without_source_route(trim(argument));
  return {take_unquoted(rest, ' '), {}};
}

MailParameters parse_mail_parameters(std::string_view parameters) {
  MailParameters found;
  for (;;) {
    parameters = trim(parameters);
    if (parameters.empty()) return found;
    const auto word = parameters.substr(0, parameters.find_first_of(" \t"));
    read_parameter(found, word);
    parameters.remove_prefix(word.size());
  }
}

}  // namespace postern::mail

#include "support/dialogue/script.h"

#include <charconv>

#include "base/ascii.h"

namespace postern::test {
namespace {

// The byte behind a backslash; "x41" for others.
Result<char> take_escape(std::string_view& text) {
  const char c = text.empty() ? '\0' : text.front();
  text.remove_prefix(text.empty() ? 0 : 1);
  switch (c) {
    case 'r':
      return '\r';
    case 'n':
      return '\n';
    case 't':
      return '\t';
    case '0':
      return '\0';
    case '\\':
    case '"':
      return c;
    case 'x': {
      unsigned byte = 0;
      const auto digits = text.substr(0, 2);
      const auto [end, code] =
          std::from_chars(digits.data(), digits.data() + digits.size(), byte, 16);
      if (code != std::errc{} || digits.size() < 2) return failure("bad \\x in a quoted word");
      text.remove_prefix(2);
      return static_cast<char>(byte);
    }
    default:
      return failure("unknown escape in a quoted word");
  }
}

Result<std::string> take_quoted(std::string_view& text) {
  std::string word;
  text.remove_prefix(1);
  while (!text.empty() && text.front() != '"') {
    const char c = text.front();
    text.remove_prefix(1);
    if (c != '\\') {
      word += c;
      continue;
    }
    const auto byte = take_escape(text);
    if (!byte) return std::unexpected(byte.error());
    word += *byte;
  }
  if (text.empty()) return failure("a quoted word does not end");
  text.remove_prefix(1);
  return word;
}

Result<std::string> take_word(std::string_view& text) {
  if (text.starts_with('"')) return take_quoted(text);
  std::string word(text.substr(0, text.find_first_of(" \t")));
  text.remove_prefix(word.size());
  return word;
}

Result<Step> parse_step(std::string_view line) {
  Step step;
  step.word = line.substr(0, line.find_first_of(" \t"));
  line.remove_prefix(step.word.size());
  step.rest = line.starts_with(' ') ? line.substr(1) : line;
  // What the server and the client say is taken as it stands.
  if (step.word == "S" || step.word == "C") return step;
  for (line = trim(line); !line.empty(); line = trim(line)) {
    auto word = take_word(line);
    if (!word) return std::unexpected(word.error());
    step.arguments.push_back(std::move(*word));
  }
  return step;
}

}  // namespace

Result<std::vector<Step>> parse_script(std::string_view text) {
  std::vector<Step> steps;
  int number = 0;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    ++number;
    if (line.empty() || line.starts_with('#')) continue;
    auto step = parse_step(line);
    if (!step) return failure("line " + std::to_string(number) + ": " + step.error().what);
    step->line = number;
    steps.push_back(std::move(*step));
  }
  if (number > most_script_lines) return failure("more than 40 lines: make it two dialogues");
  return steps;
}

bool matches(std::string_view text, std::string_view pattern) {
  const std::size_t star = pattern.find('*');
  if (star == std::string_view::npos) return text == pattern;
  if (!text.starts_with(pattern.substr(0, star))) return false;
  pattern.remove_prefix(star + 1);
  for (std::size_t skip = star; skip <= text.size(); ++skip) {
    if (matches(text.substr(skip), pattern)) return true;
  }
  return false;
}

std::string visible(std::string_view text) {
  std::string shown;
  for (const char c : text) {
    if (c == '\r' || c == '\n' || c == '\0' || c == '\\') {
      shown += c == '\r' ? "\\r" : c == '\n' ? "\\n" : c == '\0' ? "\\0" : "\\\\";
    } else if (c == ' ' || is_visible(c)) {
      shown += c;
    } else {
      constexpr std::string_view digits = "0123456789abcdef";
      const auto byte = static_cast<unsigned char>(c);
      shown.append("\\x").append(1, digits[byte >> 4]).append(1, digits[byte & 15]);
    }
  }
  return shown;
}

}  // namespace postern::test

#include "smtpd/spp_commands.h"

namespace postern::smtpd {
namespace {

using Kind = SppCommand::Kind;

SppCommand parse_later(std::string_view line) {
  const char when = line.size() > 1 ? line[1] : '\0';
  if (when != 'M' && when != 'R' && when != 'D') return {Kind::unknown, line};
  return {Kind::later, line.substr(2),
          when == 'M'   ? SppEvent::mail
          : when == 'R' ? SppEvent::rcpt
                        : SppEvent::data};
}

SppCommand parse_line(std::string_view line) {
  const std::string_view text = line.substr(1);
  switch (line.front()) {
    case 'A':
      return {Kind::stop, text};
    case 'N':
      return {Kind::next, text};
    case 'O':
      return {Kind::ok, text};
    case 'E':
      return {Kind::refuse, text};
    case 'R':
      return {Kind::reject, text};
    case 'D':
      return {Kind::drop, text};
    case 'L':
      return parse_later(line);
    case 'S':
      return {Kind::set, text};
    case 'U':
      return {Kind::unset, text};
    case 'H':
      return {Kind::header, text};
    case 'C':
      return {Kind::change, text};
    case 'P':
      return {Kind::print, text};
    default:
      return {Kind::unknown, line};
  }
}

bool is_last(Kind kind) { return kind <= Kind::drop; }

}  // namespace

std::vector<SppCommand> parse_spp_output(std::string_view output) {
  std::vector<SppCommand> commands;
  while (!output.empty()) {
    const std::size_t end = output.find('\n');
    const std::string_view line = output.substr(0, end);
    output.remove_prefix(end == std::string_view::npos ? output.size() : end + 1);
    if (line.empty()) continue;
    commands.push_back(parse_line(line));
    if (is_last(commands.back().kind)) break;
  }
  return commands;
}

}  // namespace postern::smtpd

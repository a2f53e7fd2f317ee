#include "local/dot_qmail.h"

#include "base/ascii.h"
#include "base/error.h"

namespace postern::local {
namespace {

Failure deferral(std::string_view text) { return {exit_code::temporary, std::string(text)}; }

std::string_view without_trailing_blanks(std::string_view line) {
  while (!line.empty() && is_blank(line.back())) line.remove_suffix(1);
  return line;
}

std::string_view take_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return without_trailing_blanks(line);
}

Instruction parse_instruction(std::string_view line) {
  using Kind = Instruction::Kind;
  switch (line.front()) {
    case '.':
    case '/':
      return {line.ends_with('/') ? Kind::maildir : Kind::mbox, std::string(line)};
    case '|':
      return {Kind::program, std::string(line.substr(1))};
    case '&':
      return {Kind::forward, std::string(line.substr(1))};
    default:
      return {Kind::forward, std::string(line)};
  }
}

std::optional<Failure> problem_with(const Instruction& instruction, bool forward_only) {
  // No path, command or address can hold one; half of it is not what the line's author meant.
  if (instruction.text.contains('\0')) {
    return deferral("Uh-oh: .qmail file has a line with a NUL. (#4.2.1)");
  }
  if (!forward_only) return std::nullopt;
  switch (instruction.kind) {
    case Instruction::Kind::maildir:
    case Instruction::Kind::mbox:
      return deferral("Uh-oh: .qmail has file delivery but has x bit set. (#4.7.0)");
    case Instruction::Kind::program:
      return deferral("Uh-oh: .qmail has prog delivery but has x bit set. (#4.7.0)");
    case Instruction::Kind::forward:
      return std::nullopt;
  }
  bug("unknown kind of instruction");
}

}  // namespace

DotQmail parse_dot_qmail(std::string_view text, bool forward_only) {
  DotQmail parsed;
  // An empty text is a blank line too: a default delivery that nobody has set must not lose mail.
  for (bool first = true; first || !text.empty(); first = false) {
    const std::string_view line = take_line(text);
    if (line.empty() && first) {
      parsed.problem = deferral("Uh-oh: first line of .qmail file is blank. (#4.2.1)");
      return parsed;
    }
    if (line.empty() || line.front() == '#') continue;
    if (line.front() == '+') {
      if (line == "+list") forward_only = true;
      continue;
    }
    Instruction instruction = parse_instruction(line);
    parsed.problem = problem_with(instruction, forward_only);
    if (parsed.problem) return parsed;
    parsed.instructions.push_back(std::move(instruction));
  }
  return parsed;
}

std::string_view name_of(Instruction::Kind kind) {
  switch (kind) {
    case Instruction::Kind::maildir:
      return "maildir";
    case Instruction::Kind::mbox:
      return "mbox";
    case Instruction::Kind::program:
      return "program";
    case Instruction::Kind::forward:
      return "forward";
  }
  bug("unknown kind of instruction");
}

}  // namespace postern::local

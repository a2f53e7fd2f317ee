#include "control/read.h"

#include <algorithm>

#include "base/ascii.h"
#include "base/integers.h"
#include "posix/files.h"

namespace postern::control {
namespace {

constexpr FileName me_file = "me";

Result<std::optional<std::string>> read_if_present(const std::string& path) {
  auto text = read_file(path, most_control_bytes);
  if (text) return std::move(*text);
  if (text.error().code == ENOENT) return std::nullopt;
  return std::unexpected(text.error());
}

// What control/me can stand for is a host name, and becomes a part of addresses, header fields and
// commands. Only the greeting may say more than the name.
bool holds_host_name(const Spec& spec) {
  return spec.file == me_file.spec().file ||
         (spec.otherwise == Default::me && spec.file != "smtpgreeting");
}

// qmail-inject can be told to add nothing.
bool may_be_empty(const Spec& spec) {
  return spec.file == "defaultdomain" || spec.file == "plusdomain";
}

// Rubbish may be long, and hold anything.
std::string shown(std::string_view value) {
  constexpr std::size_t most_shown_bytes = 100;
  std::string text(value.substr(0, most_shown_bytes));
  std::ranges::replace_if(text, [](char c) { return !is_visible(c) && c != ' '; }, '?');
  return value.size() > most_shown_bytes ? text + "..." : text;
}

Result<std::string> checked(const Spec& spec, std::string line) {
  constexpr std::size_t most_name_bytes = 253;  // RFC 1035 2.3.4, as text
  const bool is_name = std::ranges::all_of(line, is_visible) && line.size() <= most_name_bytes &&
                       (!line.empty() || may_be_empty(spec));
  if (!holds_host_name(spec) || is_name) return line;
  return failure(path_of(spec) + " holds \"" + shown(line) +
                 "\": write a host name there, one word");
}

// What stands for an absent file: the table's literal, or control/me. Where that is absent too,
// qmail uses the file's own name for most, which the table holds as the literal.
Result<std::string> default_line(const Spec& spec) {
  if (spec.otherwise != Default::me) return std::string(spec.literal);
  auto me = read_line_file(me_file.spec());
  if (!me) return std::unexpected(me.error());
  if (*me) return holds_host_name(spec) ? checked(me_file.spec(), **me) : std::move(**me);
  if (spec.file == "smtpgreeting" || spec.file == "helohost" || spec.file == "locals") {
    return failure(path_of(spec) +
                       " and control/me are both missing: write this host's name into " +
                       "control/me",
                   ENOENT);
  }
  return std::string(spec.literal);
}

// A CR LF, as editors on Windows write, would leave its CR in a host name, which then matches
// nothing. Lines count from 1.
Status refuse_carriage_return(const std::string& path, std::size_t number, std::string_view line) {
  if (!line.ends_with('\r')) return {};
  return failure(
      path + " line " + std::to_string(number) +
      " ends in a carriage return, as on Windows: end the lines of the file in LF alone");
}

}  // namespace

std::string path_of(const Spec& spec) { return "control/" + std::string(spec.file); }

Result<std::optional<std::string>> read_line_file(const Spec& spec) {
  const auto text = read_if_present(path_of(spec));
  if (!text) return std::unexpected(text.error());
  if (!*text) return std::nullopt;
  const std::string_view line = trim_end(std::string_view(**text).substr(0, (*text)->find('\n')));
  if (auto ended = refuse_carriage_return(path_of(spec), 1, line); !ended) {
    return std::unexpected(ended.error());
  }
  if (line.contains('\0')) {
    return failure(path_of(spec) + " holds a NUL byte in its first line: write it again as text");
  }
  return std::string(line);
}

Result<std::optional<std::uint64_t>> read_number_file(const Spec& spec) {
  const auto line = read_line_file(spec);
  if (!line) return std::unexpected(line.error());
  if (!*line || (*line)->empty()) return std::nullopt;
  const auto number = parse_decimal(trim(**line));
  if (!number) {
    return failure(path_of(spec) + " holds \"" + shown(**line) + "\": write a whole number of " +
                   std::string(spec.unit) + " there");
  }
  return *number;
}

Result<std::optional<std::vector<std::string>>> read_list_file(const Spec& spec) {
  return read_list_at(path_of(spec));
}

Result<std::optional<std::vector<std::string>>> read_list_at(const std::string& path) {
  const auto text = read_if_present(path);
  if (!text) return std::unexpected(text.error());
  if (!*text) return std::nullopt;
  std::vector<std::string> lines;
  std::string_view rest = **text;
  for (std::size_t number = 1; !rest.empty(); ++number) {
    const std::size_t end = rest.find('\n');
    const std::string_view line = trim_end(rest.substr(0, end));
    if (auto ended = refuse_carriage_return(path, number, line); !ended) {
      return std::unexpected(ended.error());
    }
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    if (!line.empty() && line.front() != '#') lines.emplace_back(line);
  }
  return lines;
}

Result<std::string> read_me() {
  auto me = read_line_file(me_file.spec());
  if (!me) return std::unexpected(me.error());
  if (!*me || (*me)->empty()) {
    return failure("control/me is missing or empty: write this host's name into it", ENOENT);
  }
  return std::move(**me);
}

Result<std::string> read_line(const Spec& spec) {
  auto line = read_line_file(spec);
  if (!line) return std::unexpected(line.error());
  if (*line) return checked(spec, std::move(**line));
  return default_line(spec);
}

Result<std::uint64_t> read_number(const Spec& spec) {
  const auto number = read_number_file(spec);
  if (!number) return std::unexpected(number.error());
  return number->value_or(parse_decimal(spec.literal).value_or(0));
}

Result<std::vector<std::string>> read_list(const Spec& spec) {
  auto lines = read_list_file(spec);
  if (!lines) return std::unexpected(lines.error());
  if (*lines) return std::move(**lines);
  if (spec.otherwise != Default::me) return std::vector<std::string>{};
  auto line = default_line(spec);
  if (!line) return std::unexpected(line.error());
  return std::vector<std::string>{std::move(*line)};
}

Result<HostMap> read_map(const Spec& spec) {
  const auto lines = read_list(spec);
  if (!lines) return std::unexpected(lines.error());
  return HostMap(*lines);
}

Result<bool> is_present(const Spec& spec) {
  const std::string path = spec.kind == Kind::cdb ? path_of(spec) + ".cdb" : path_of(spec);
  const auto info = stat_file(path);
  if (info) return true;
  if (info.error().code == ENOENT) return false;
  return std::unexpected(info.error());
}

}  // namespace postern::control

#include "wire/layout.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/ascii.h"
#include "base/integers.h"

namespace postern::wire {
namespace {

using Kind = LayoutEntry::Kind;
using Layout = std::vector<LayoutEntry>;

std::string_view take_word(std::string_view& line) {
  line = trim(line);
  const std::size_t end = line.find_first_of(" \t");
  const std::string_view word = line.substr(0, end);
  line.remove_prefix(word.size());
  return word;
}

// Octal, as chmod takes it; "-" where a mode means nothing.
std::optional<mode_t> parse_mode(std::string_view text) {
  if (text == "-") return 0;
  unsigned mode = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), mode, 8);
  if (code != std::errc{} || end != text.data() + text.size() || mode > 07777) return std::nullopt;
  return mode;
}

std::string absolute(std::string_view path, const std::string& home) {
  if (path == ".") return home;
  if (path.starts_with('/')) return std::string(path);
  return home + "/" + std::string(path);
}

void add_with(Layout& layout, const LayoutEntry& top, std::string_view part, bool is_split_part) {
  layout.push_back(top);
  layout.back().path.append("/").append(part);
  layout.back().is_split_part = is_split_part;
}

// False: an unknown type, or a last column that is not what the type wants.
bool add_entries(std::string_view type, std::string_view more, LayoutEntry entry, Layout& layout) {
  const auto number = parse_decimal<std::uint64_t>(more);
  if (type == "program" || type == "script") {
    entry.kind = Kind::program;
  } else if (type == "file" && number) {
    entry.kind = Kind::file;
    entry.size = *number;
  } else if (type == "page" || type == "maybe") {
    entry.kind = Kind::file;
    entry.needed = type == "page";
  } else if (type == "fifo") {
    entry.kind = Kind::fifo;
  } else if (type == "link" && !more.empty()) {
    entry.kind = Kind::link;
    entry.target = more;
  } else if (type != "dir" && type != "maildir" && !(type == "split" && number)) {
    return false;
  }
  layout.push_back(entry);
  if (type == "maildir") {
    for (const char* part : {"tmp", "new", "cur"}) add_with(layout, entry, part, false);
  } else if (type == "split") {
    for (std::uint64_t i = 0; i < *number; ++i) add_with(layout, entry, std::to_string(i), true);
  }
  return true;
}

bool parse_line(std::string_view line, const std::string& home, Layout& layout) {
  const std::string_view type = take_word(line);
  if (type.empty() || type.starts_with('#')) return true;
  LayoutEntry entry;
  entry.owner = take_word(line);
  entry.group = take_word(line);
  const auto mode = parse_mode(take_word(line));
  const std::string_view path = take_word(line);
  if (!mode || path.empty()) return false;
  entry.mode = *mode;
  entry.path = absolute(path, home);
  return add_entries(type, take_word(line), std::move(entry), layout);
}

}  // namespace

Result<Layout> parse_layout(std::string_view text, const std::string& home) {
  Layout layout;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    if (!parse_line(line, home, layout)) {
      return failure("scripts/layout has a line that makes no sense: " + std::string(line));
    }
  }
  return layout;
}

Layout installed_layout(const std::string& home) {
  auto layout = parse_layout(layout_text, home);
  if (!layout) bug(layout.error().what);
  return *std::move(layout);
}

}  // namespace postern::wire

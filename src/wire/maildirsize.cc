#include "wire/maildirsize.h"

#include <charconv>

#include "base/integers.h"
#include "wire/maildir_name.h"

namespace postern::wire {
namespace {

constexpr std::size_t line_bytes = 13;  // and a line feed

std::string_view take_until(std::string_view& text, char end) {
  const std::string_view part = text.substr(0, text.find(end));
  text.remove_prefix(std::min(part.size() + 1, text.size()));
  return part;
}

std::string_view take_word(std::string_view& line) {
  line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
  const std::string_view word = line.substr(0, line.find_first_of(" \t"));
  line.remove_prefix(word.size());
  return word;
}

std::optional<std::int64_t> parse_signed(std::string_view word) {
  std::int64_t number = 0;
  const auto [end, code] = std::from_chars(word.data(), word.data() + word.size(), number);
  if (code != std::errc{} || end != word.data() + word.size()) return std::nullopt;
  return number;
}

// False: the line makes no sense, or the sum is beyond all measure.
bool add_line(std::string_view line, MaildirUsage& usage) {
  const auto bytes = parse_signed(take_word(line));
  const auto messages = parse_signed(take_word(line));
  return bytes && messages && take_word(line).empty() &&
         !__builtin_add_overflow(usage.bytes, *bytes, &usage.bytes) &&
         !__builtin_add_overflow(usage.messages, *messages, &usage.messages);
}

bool has_room(std::optional<std::uint64_t> limit, std::int64_t used, std::int64_t more) {
  if (!limit) return true;
  std::int64_t sum = 0;
  if (__builtin_add_overflow(used, more, &sum)) return false;
  return sum <= 0 || static_cast<std::uint64_t>(sum) <= *limit;
}

}  // namespace

std::optional<MaildirQuota> parse_maildir_quota(std::string_view text) {
  MaildirQuota quota;
  if (text.empty()) return std::nullopt;
  while (!text.empty()) {
    std::string_view part = take_until(text, ',');
    if (part.empty()) return std::nullopt;
    const char kind = part.back();
    part.remove_suffix(1);
    const auto number = parse_decimal(part);
    if (!number || (kind != 'S' && kind != 'C')) return std::nullopt;
    (kind == 'S' ? quota.bytes : quota.messages) = *number == 0 ? std::nullopt : number;
  }
  return quota;
}

std::string format_maildir_quota(const MaildirQuota& quota) {
  std::string text;
  if (quota.bytes) text = std::to_string(*quota.bytes) + "S";
  if (quota.bytes && quota.messages) text += ",";
  if (quota.messages) text += std::to_string(*quota.messages) + "C";
  return text.empty() ? "0S" : text;
}

std::optional<MaildirSize> parse_maildirsize(std::string_view text) {
  const auto quota = parse_maildir_quota(take_until(text, '\n'));
  if (!quota) return std::nullopt;
  MaildirSize size{.quota = *quota};
  // What somebody is writing at this moment, or a crash has cut, has no line feed yet.
  size.sound = text.empty() || text.ends_with('\n');
  while (!text.empty()) {
    if (!add_line(take_until(text, '\n'), size.usage)) size.sound = false;
    ++size.lines;
  }
  return size;
}

std::string format_maildirsize_line(const MaildirUsage& usage) {
  std::string line = std::to_string(usage.bytes) + " " + std::to_string(usage.messages);
  line.resize(std::max(line.size(), line_bytes), ' ');
  return line + "\n";
}

bool counts_towards_quota(std::string_view name) {
  const std::size_t flags = name.rfind(":2,");
  return flags == std::string_view::npos || name.find('T', flags) == std::string_view::npos;
}

std::optional<std::uint64_t> size_in_maildir_name(std::string_view name) {
  name = unique_maildir_part(name);
  const std::size_t mark = name.find(",S=");
  if (mark == std::string_view::npos) return std::nullopt;
  name.remove_prefix(mark + 3);
  return parse_decimal(name.substr(0, name.find(',')));
}

bool fits_maildir_quota(const MaildirQuota& quota, const MaildirUsage& usage,
                        const MaildirUsage& more) {
  return has_room(quota.bytes, usage.bytes, more.bytes) &&
         has_room(quota.messages, usage.messages, more.messages);
}

}  // namespace postern::wire

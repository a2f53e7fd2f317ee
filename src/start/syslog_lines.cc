#include "start/syslog_lines.h"

#include <syslog.h>

#include "base/ascii.h"

namespace postern::start {
namespace {

int priority_of(std::string_view line) {
  if (line.starts_with("warning:")) return LOG_WARNING;
  if (line.starts_with("alert:")) return LOG_ALERT;
  return LOG_INFO;
}

}  // namespace

SyslogMessage SyslogLines::take(std::string_view stamp, bool ends_line) {
  if (!is_continued_) priority_ = priority_of(line_);
  SyslogMessage message{priority_, std::string(stamp)};
  message.text.append(is_continued_ ? "+" : " ").append(line_);
  line_.clear();
  is_continued_ = !ends_line;
  return message;
}

std::vector<SyslogMessage> SyslogLines::feed(std::string_view bytes, std::string_view stamp) {
  std::vector<SyslogMessage> messages;
  for (const char c : bytes) {
    if (c == '\n') {
      messages.push_back(take(stamp, true));
      continue;
    }
    if (line_.size() == most_syslog_bytes) messages.push_back(take(stamp, false));
    line_ += is_visible(c) || c == ' ' ? c : '?';
  }
  return messages;
}

std::vector<SyslogMessage> SyslogLines::finish(std::string_view stamp) {
  if (line_.empty()) return {};
  return {take(stamp, true)};
}

std::string format_stamp(long seconds, long microseconds) {
  const std::string fraction = std::to_string(microseconds);
  return std::to_string(seconds) + "." + std::string(6 - fraction.size(), '0') + fraction;
}

}  // namespace postern::start

// A stream of log lines cut into syslog messages, as qmail's splogger does it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace postern::start {

struct SyslogMessage {
  int priority;      // LOG_INFO; LOG_WARNING for "warning:" lines, LOG_ALERT for "alert:" lines
  std::string text;  // "SECONDS.MICROSECONDS LINE"; with '+' for ' ' what was cut off a long line
  bool operator==(const SyslogMessage&) const = default;
};

/// Pieces of a line longer than this go into messages of their own, in bytes.
inline constexpr std::size_t most_syslog_bytes = 799;

class SyslogLines {
 public:
  /// The messages that `bytes` complete. `stamp` is the time of all of them, as format_stamp()
  /// writes it.
  std::vector<SyslogMessage> feed(std::string_view bytes, std::string_view stamp);
  /// The end of the stream: a last line without a line feed counts as one.
  std::vector<SyslogMessage> finish(std::string_view stamp);

 private:
  SyslogMessage take(std::string_view stamp, bool ends_line);
  std::string line_;           // what has come of the piece being gathered
  bool is_continued_ = false;  // the line's beginning has gone out
  int priority_ = 0;           // of the line that is_continued_
};

/// "1048235800.000123".
std::string format_stamp(long seconds, long microseconds);

}  // namespace postern::start

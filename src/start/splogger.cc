// splogger [tag [facility]]: sends lines from descriptor 0 to syslog until the end of file.
// Facility is a number, as in syslog.h (2 is mail, 3 is daemon). Runs as qmaill.
#include <sys/time.h>
#include <syslog.h>

#include "base/integers.h"
#include "posix/io.h"
#include "posix/program.h"
#include "start/syslog_lines.h"

namespace {

using postern::start::SyslogMessage;

constexpr unsigned most_facility = 23;

std::string stamp_now() {
  timeval now{};
  ::gettimeofday(&now, nullptr);
  return postern::start::format_stamp(now.tv_sec, now.tv_usec);
}

void send(const std::vector<SyslogMessage>& messages) {
  for (const auto& message : messages) ::syslog(message.priority, "%s", message.text.c_str());
}

int run_splogger(const char* tag, const char* facility) {
  const auto number = postern::parse_decimal<unsigned>(facility);
  if (!number || *number > most_facility) {
    postern::die(postern::exit_code::permanent, "the facility must be a number from 0 to 23");
  }
  ::openlog(tag, 0, static_cast<int>(*number << 3));
  postern::start::SyslogLines lines;
  char buffer[16384];
  for (;;) {
    const auto count = postern::read_some(0, buffer);
    if (!count) postern::die(postern::exit_code::temporary, count.error());
    if (*count == 0) break;
    send(lines.feed({buffer, *count}, stamp_now()));
  }
  send(lines.finish(stamp_now()));
  return postern::exit_code::ok;
}

}  // namespace

int main(int argc, char* argv[]) {
  return postern::program({.name = "splogger"}, [&] {
    return run_splogger(argc > 1 ? argv[1] : "splogger", argc > 2 ? argv[2] : "2");
  });
}

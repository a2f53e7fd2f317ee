// qmail-tcpto: says which addresses qmail-remote could not connect to lately. For root and the
// group qmail, who may look into queue/lock. Exits 111 if it could not read what it needs.
#include "admin/timeout_report.h"
#include "posix/clock.h"
#include "posix/files.h"
#include "posix/io.h"
#include "posix/program.h"
#include "wire/home.h"

int main() {
  using namespace postern;
  return program({.name = "qmail-tcpto"}, [] {
    if (const auto done = change_directory(wire::home() + "/queue"); !done) {
      die(exit_code::temporary, done.error());
    }
    std::string text;
    for (const auto& format : {wire::tcpto_v4, wire::tcpto_v6}) {
      const auto bytes = read_file(format.path, wire::tcpto_records * format.record_bytes);
      if (!bytes) die(exit_code::temporary, bytes.error());
      text += admin::format_timeouts(format, *bytes, unix_time());
    }
    if (const auto done = write_all(1, text); !done) die(exit_code::temporary, done.error());
    return exit_code::ok;
  });
}

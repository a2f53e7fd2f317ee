// qmail-qstat: says how many messages are in the queue, in two lines. For root and the group qmail,
// who may list it. Exits 111 if it could not be read.
#include "admin/queue_listing.h"
#include "posix/io.h"
#include "posix/program.h"

int main() {
  using namespace postern;
  return program({.name = "qmail-qstat"}, [] {
    if (const auto done = admin::enter_queue(); !done) die(exit_code::temporary, done.error());
    const auto counts = admin::count_queue();
    if (!counts) die(exit_code::temporary, counts.error());
    const auto written = write_all(1, admin::format_counts(*counts));
    if (!written) die(exit_code::temporary, written.error());
    return exit_code::ok;
  });
}

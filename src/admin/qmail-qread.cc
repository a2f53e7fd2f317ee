// qmail-qread: lists the messages in the queue with their recipients. For root and qmails, who may
// read it. Exits 0, or 111 if something could not be read.
#include "admin/queue_listing.h"
#include "posix/io.h"
#include "posix/program.h"

int main() {
  using namespace postern;
  return program({.name = "qmail-qread"}, [] {
    if (const auto done = admin::enter_queue(); !done) die(exit_code::temporary, done.error());
    BufferedOutput output(1);
    int result = exit_code::ok;
    const auto listed = admin::list_queue([&](std::string_view lines) { (void)output.put(lines); },
                                          [&](const Error& error) {
                                            warn(describe(error));
                                            result = exit_code::temporary;
                                          });
    if (!listed) die(exit_code::temporary, listed.error());
    if (const auto done = output.flush(); !done) die(exit_code::temporary, done.error());
    return result;
  });
}

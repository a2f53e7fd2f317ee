// qmail-send: the scheduler. Takes new mail out of todo, has qmail-lspawn and qmail-rspawn deliver
// it, tries again what must wait, and returns what cannot be delivered. Runs as qmails.
// Protocols: docs/wire/spawn.md, clean.md, trigger.md; its log: docs/wire/log.md. Exits 0 after
// SIGTERM, or when a process it needs has gone; 111 if it cannot start.
#include <malloc.h>
#include <unistd.h>

#include <new>
#include <string_view>

#include "posix/program.h"
#include "send/serve.h"
#include "wire/descriptors.h"
#include "wire/home.h"

namespace {

// A scheduler that gave up for want of memory would forget when everything is due; it waits, and
// then the allocation is tried again.
void wait_for_memory() {
  constexpr std::string_view text = "alert: out of memory, sleeping...\n";
  [[maybe_unused]] const auto written =
      ::write(postern::wire::send_fd::log, text.data(), text.size());
  ::sleep(10);
}

}  // namespace

int main() {
  return postern::program({.name = "qmail-send"}, [] {
    using namespace postern;
    std::set_new_handler(wait_for_memory);
    // Its few threads hardly allocate; an arena for each would only take address space.
    ::mallopt(M_ARENA_MAX, 1);
    return send::serve(wire::home(), {Fd(wire::send_fd::log), Fd(wire::send_fd::to_lspawn),
                                      Fd(wire::send_fd::from_lspawn), Fd(wire::send_fd::to_rspawn),
                                      Fd(wire::send_fd::from_rspawn), Fd(wire::send_fd::to_clean),
                                      Fd(wire::send_fd::from_clean)});
  });
}

// qmail-lspawn: starts local deliveries as qmail-send orders them. Runs as root, because each
// delivery becomes another user. Protocol: docs/wire/spawn.md. Exits 0 when qmail-send closes
// descriptor 0 and the deliveries have ended, 100 without its argument, 111 if it cannot start.
#include "posix/program.h"
#include "spawn/local_channel.h"

int main(int argc, char** argv) {
  return postern::program({.name = "qmail-lspawn"}, [&] {
    return postern::spawning::serve_local_deliveries(
        std::span(argv, static_cast<std::size_t>(argc)).subspan(argc > 0 ? 1 : 0));
  });
}

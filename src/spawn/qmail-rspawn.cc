// qmail-rspawn: starts remote deliveries as qmail-send orders them. Runs as qmailr.
// Protocol: docs/wire/spawn.md. Exits 0 when qmail-send closes descriptor 0 and the deliveries
// have ended, 111 if it cannot start.
#include "posix/program.h"
#include "spawn/remote_channel.h"

int main() {
  return postern::program({.name = "qmail-rspawn"},
                          [] { return postern::spawning::serve_remote_deliveries(); });
}

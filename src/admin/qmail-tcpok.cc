// qmail-tcpok: forgets which addresses qmail-remote could not connect to, so that they are tried at
// once: after a network has come back. For root and qmailr. Exits 111 if it cannot.
#include "posix/program.h"
#include "wire/home.h"
#include "wire/tcpto.h"

int main() {
  using namespace postern;
  return program({.name = "qmail-tcpok"}, [] {
    if (const auto done = wire::clear_tcpto(wire::home() + "/queue"); !done) {
      die(exit_code::temporary, done.error());
    }
    return exit_code::ok;
  });
}

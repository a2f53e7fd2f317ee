// qmail-getpw: prints which user of the system a local address belongs to. Runs as qmailp, under
// qmail-lspawn. Output and exit codes: docs/wire/getpw.md.
#include "spawn/system_users.h"

#include "posix/program.h"

int main(int argc, char** argv) {
  return postern::program({.name = "qmail-getpw", .out_of_memory = 119}, [&] {
    return postern::spawning::print_user_of(
        std::span(argv, static_cast<std::size_t>(argc)).subspan(argc > 0 ? 1 : 0), 1);
  });
}

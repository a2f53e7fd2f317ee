// qmail-getpw: prints which user of the system a local address belongs to. Runs as qmailp, under
// qmail-lspawn, and may stay for it. Output and exit codes: docs/wire/getpw.md.
#include "posix/program.h"
#include "spawn/getpw_program.h"
#include "spawn/system_users.h"

int main(int argc, char** argv) {
  return postern::program({.name = "qmail-getpw", .out_of_memory = 119}, [&] {
    postern::spawning::SystemUsers system;
    return postern::spawning::run_getpw(std::span(argv, static_cast<std::size_t>(argc)), system, 1);
  });
}

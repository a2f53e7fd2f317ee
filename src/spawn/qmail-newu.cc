// qmail-newu: makes users/cdb from users/assign. Run by root after each change. Exits 111, with
// users/cdb as it was, when that fails. Formats: docs/wire/users.md.
#include "posix/files.h"
#include "posix/program.h"
#include "spawn/assign.h"
#include "wire/home.h"

int main() {
  using namespace postern;
  return program({.name = "qmail-newu"}, [] {
    auto done = change_directory(wire::home());
    if (done) done = spawning::make_users_cdb();
    if (!done) die(exit_code::temporary, done.error());
    return exit_code::ok;
  });
}

// qmail-pw2u: makes users/assign (on descriptor 1) from a password file (on descriptor 0), so that
// qmail-lspawn need not ask the user database. `getent passwd | qmail-pw2u > users/assign`, then
// qmail-newu. Exits 100 if used wrongly, 111, having printed nothing, if a line makes no sense or
// something cannot be read.
#include "posix/program.h"
#include "spawn/passwd_assign.h"

int main(int argc, char* argv[]) {
  return postern::program({.name = "qmail-pw2u"}, [&] {
    return postern::spawning::run_pw2u({argv + 1, static_cast<std::size_t>(argc - 1)});
  });
}

// qmail-newmailusers: compiles users/mailusers into users/mailusers.cdb, for checkmailuser.
// docs/wire/mailusers.md. Exits 100 if misused, 111 if a line makes no sense or a file cannot be
// read or written; the old users/mailusers.cdb then stays.
#include "auth/mail_users_compiler.h"
#include "posix/program.h"
#include "wire/home.h"

int main(int argc, char**) {
  using namespace postern;
  return program({.name = "qmail-newmailusers"}, [&] {
    if (argc != 1) die(exit_code::permanent, "usage: qmail-newmailusers, without arguments");
    if (auto made = auth::make_mail_users(wire::home()); !made) {
      die(exit_code::temporary, made.error());
    }
    return exit_code::ok;
  });
}

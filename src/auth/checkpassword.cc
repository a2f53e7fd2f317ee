// checkpassword: checks a system account's password and runs the subprogram as that user. Needs
// root, as qmail-popup has it under tcpserver. docs/wire/checkpassword.md. Exits 1 rejected,
// 2 misused, 111 temporary.
#include "auth/system_account.h"
#include "posix/program.h"
#include "wire/descriptors.h"

int main(int, char** argv) {
  using namespace postern;
  return program({.name = "checkpassword"}, [&] {
    return auth::report(auth::serve_login(wire::checkpassword_fd, argv, auth::verify_system_user));
  });
}

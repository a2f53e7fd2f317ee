// checkmailuser: checks a mail-only account of users/mailusers.cdb and runs the subprogram, as the
// account's system user when started as root. docs/wire/checkpassword.md. Exits 1 rejected,
// 2 misused, 111 temporary.
#include "auth/mail_account.h"
#include "posix/program.h"
#include "wire/descriptors.h"
#include "wire/home.h"

int main(int, char** argv) {
  using namespace postern;
  return program({.name = "checkmailuser"}, [&] {
    const auto verify = [](const wire::CheckRequest& request) {
      return auth::verify_mail_user(wire::home(), request);
    };
    return auth::report(auth::serve_login(wire::checkpassword_fd, argv, verify));
  });
}

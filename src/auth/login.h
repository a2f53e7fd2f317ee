// What all checkers share: reading the credentials, entering the account, running the subprogram.
// The interface is checkpassword's, described in docs/wire/checkpassword.md.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/error.h"
#include "posix/identity.h"
#include "wire/checkpassword.h"

namespace postern::auth {

/// An account whose password has been proved.
struct Account {
  std::string user;  // USER, as the account is called
  Identity identity;
  std::string home;
  std::string shell;
};

/// Decides about credentials. Nothing: rejected, after the same work whether or not there is such
/// an account. Error: cannot tell now.
using Verify = std::function<Result<std::optional<Account>>(const wire::CheckRequest&)>;

/// Why a checker did not run its subprogram: its exit code, and what its log says. Credentials that
/// are simply wrong need no words.
struct Refusal {
  int exit_code = 0;
  std::string message;
};

/// A whole checker: reads descriptor `fd` to its end and closes it, lets `verify` decide, enters
/// the account, runs argv[1] with the rest of argv. Returns only when that did not happen.
Refusal serve_login(int fd, const char* const* argv, const Verify& verify);

/// Says why, and gives the exit code.
int report(const Refusal& refusal);

/// How far an account can be entered by a process with effective uid `us`.
enum class Entry {
  become,  // root: take its groups, gid and uid, go to its home
  stay,    // the account's own user: only go to its home
  verify,  // anybody else: nothing changes but that the subprogram runs
};
Entry entry_for(uid_t us, const Account& account);

}  // namespace postern::auth

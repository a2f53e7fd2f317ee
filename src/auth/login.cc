#include "auth/login.h"

#include <unistd.h>

#include "posix/environment.h"
#include "posix/fd.h"
#include "posix/files.h"
#include "posix/io.h"
#include "posix/program.h"
#include "posix/spawn.h"

namespace postern::auth {
namespace {

namespace code = wire::checkpassword_exit;

// The request, or why there is none.
std::expected<wire::CheckRequest, Refusal> read_request(int fd) {
  const Fd credentials(fd);
  const auto bytes = read_to_end(fd, wire::most_checkpassword_bytes);
  if (!bytes) {
    if (bytes.error().code == EFBIG) return std::unexpected(Refusal{code::rejected, {}});
    const int exit_code = bytes.error().code == EBADF ? code::misused : code::temporary;
    const Error error{"unable to read descriptor " + std::to_string(fd), bytes.error().code};
    return std::unexpected(Refusal{exit_code, describe(error)});
  }
  auto request = wire::parse_check_request(*bytes);
  if (!request) return std::unexpected(Refusal{code::misused, describe(request.error())});
  return *std::move(request);
}

Status enter(const Account& account) {
  const Entry entry = entry_for(::geteuid(), account);
  if (entry == Entry::verify) return {};
  if (entry == Entry::become) {
    if (auto became = become(account.identity); !became) return became;
  }
  if (auto moved = change_directory(account.home); !moved) return moved;
  set_environment_variable("USER", account.user);
  set_environment_variable("HOME", account.home);
  set_environment_variable("SHELL", account.shell);
  return {};
}

}  // namespace

Entry entry_for(uid_t us, const Account& account) {
  if (us == 0) return Entry::become;
  return us == account.identity.uid ? Entry::stay : Entry::verify;
}

Refusal serve_login(int fd, const char* const* argv, const Verify& verify) {
  if (argv[0] == nullptr || argv[1] == nullptr) {
    return {code::misused, "usage: " + std::string(program_name()) +
                               " subprogram [argument ...], with credentials on descriptor 3"};
  }
  const auto request = read_request(fd);
  if (!request) return request.error();
  const auto account = verify(*request);
  if (!account) return {code::temporary, describe(account.error())};
  if (!*account) return {code::rejected, {}};
  if ((*account)->identity.uid == 0) {
    return {code::rejected, (*account)->user + " is root: mail logins are not for root"};
  }
  if (const auto entered = enter(**account); !entered) {
    return {code::temporary, describe(entered.error())};
  }
  SpawnSpec subprogram{.search_path = true};
  for (const char* const* argument = argv + 1; *argument != nullptr; ++argument) {
    subprogram.argv.emplace_back(*argument);
  }
  return {code::temporary, describe(execute(subprogram))};
}

int report(const Refusal& refusal) {
  if (!refusal.message.empty()) die(refusal.exit_code, refusal.message);
  return refusal.exit_code;
}

}  // namespace postern::auth

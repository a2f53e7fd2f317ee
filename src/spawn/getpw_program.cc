#include "spawn/getpw_program.h"

#include <array>

#include "posix/io.h"
#include "posix/program.h"
#include "spawn/assigned_users.h"
#include "wire/kept_worker.h"

namespace postern::spawning {
namespace {

// Not optimised away: qmail-lspawn looks for it in the program's file.
[[gnu::used, gnu::retain]] const auto stays = std::to_array(wire::getpw_stays_mark);

int print_user(const wire::LocalUser& user, int output) {
  const auto written = write_all(output, wire::format_local_user(user) + '\0');
  return written ? exit_code::ok : exit_with(LocalExit::system_trouble);
}

int print_user_of(UserDatabase& system, std::string_view local, int output) {
  const auto user = find_system_user(system, local);
  return user ? print_user(*user, output) : exit_with(user.error());
}

// qmail-lspawn has not asked users/cdb about an address that it sends here. We are in the qmail
// home.
int print_assigned_user_of(UserDatabase& system, std::string_view local, int output) {
  const auto user = find_assigned_user("users/cdb", local);
  if (!user) return exit_with(user.error());
  return *user ? print_user(**user, output) : print_user_of(system, local, output);
}

}  // namespace

// After a failure it ends: whatever part of the name service has failed begins afresh.
int run_getpw(std::span<char* const> arguments, UserDatabase& system, int output) {
  if (arguments.size() < 2) die(exit_code::permanent, "usage: qmail-getpw local");
  auto worker = wire::KeptWorker::from_environment(arguments[0], wire::getpw_program);
  int code = print_user_of(system, arguments[1], output);
  while (code == exit_code::ok) {
    const auto order = worker.next(code, wire::KeptWorker::Brings::nothing);
    if (!order) return exit_with(LocalExit::system_trouble);
    if (!*order) break;
    const auto& words = (*order)->arguments;
    if (words.size() != 1) return exit_with(LocalExit::system_trouble);
    code = print_assigned_user_of(system, words[0], output);
  }
  return code;
}

}  // namespace postern::spawning

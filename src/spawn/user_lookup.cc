#include "spawn/user_lookup.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "base/ascii.h"
#include "posix/io.h"
#include "posix/pipe.h"
#include "posix/program.h"
#include "spawn/local_report.h"

namespace postern::spawning {
namespace {

std::unexpected<Error> damaged() {
  return failure("users/cdb was not made by qmail-newu: run qmail-newu");
}

// Once nothing but descriptors 0 to 2 is open, and 0 and 1 are nobody else's, the process can
// neither take orders nor forge reports.
bool keep_only(int output) {
  const int nothing = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  return nothing >= 0 && ::dup2(nothing, 0) == 0 && ::dup2(output, 1) == 1 &&
         ::close_range(3, ~0U, 0) == 0;
}

int exit_with(LocalExit reason) { return static_cast<int>(reason); }

// The report's text is fixed; what is wrong is for the administrator's eyes.
int cannot_use_users_cdb(const Error& error) {
  warn(describe(error));
  return exit_with(LocalExit::users_cdb_trouble);
}

// The child's whole life. The parent has one thread, so memory may be allocated here.
int look_up(const std::string& home, const Identity& identity, const std::string& local) {
  if (!become(identity)) return exit_with(LocalExit::system_trouble);
  auto users = control::Cdb::open(home + "/users/cdb");
  if (!users && users.error().code != ENOENT) return cannot_use_users_cdb(users.error());
  if (users) {
    const auto user = find_user(*users, local);
    if (!user) return cannot_use_users_cdb(user.error());
    if (*user) {
      const auto written = write_all(1, wire::format_local_user(**user));
      return written ? exit_code::ok : exit_with(LocalExit::system_trouble);
    }
  }
  (void)execute({.argv = {"bin/qmail-getpw", local}, .directory = home});
  return exit_with(LocalExit::exec_getpw_failed);
}

}  // namespace

Result<std::optional<wire::LocalUser>> find_user(control::Cdb& users, std::string_view local) {
  const auto wildcard_ends = users.find(wire::wildcard_ends_key);
  if (!wildcard_ends) return std::unexpected(wildcard_ends.error());
  if (!*wildcard_ends) return damaged();

  auto value = users.find(wire::exact_user_key(local));
  std::size_t matched = local.size();
  const auto can_match = [&](std::size_t length) {
    return length == 0 || (*wildcard_ends)->contains(to_lower(local[length - 1]));
  };
  for (std::size_t length = local.size() + 1; value && !*value && length-- > 0;) {
    if (!can_match(length)) continue;
    value = users.find(wire::wildcard_user_key(local.substr(0, length)));
    matched = length;
  }
  if (!value) return std::unexpected(value.error());
  if (!*value) return std::nullopt;
  auto user = wire::parse_local_user(**value);
  if (!user) return damaged();
  user->extension += local.substr(matched);
  return user;
}

Result<Worker> start_user_lookup(const std::string& home, const Identity& identity,
                                 const std::string& local) {
  auto pipe = make_pipe();
  if (!pipe) return std::unexpected(pipe.error());
  const pid_t pid = ::fork();
  if (pid < 0) return system_failure("unable to fork");
  if (pid == 0) {
    if (!keep_only(pipe->write.get())) ::_exit(exit_with(LocalExit::system_trouble));
    ::_exit(look_up(home, identity, local));
  }
  return Worker{Child(pid), std::move(pipe->read)};
}

}  // namespace postern::spawning

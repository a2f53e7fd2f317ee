#include "spawn/assigned_users.h"

#include <cerrno>

#include "base/ascii.h"
#include "posix/program.h"

namespace postern::spawning {
namespace {

std::unexpected<Error> damaged() {
  return failure("users/cdb was not made by qmail-newu: run qmail-newu");
}

// The report's text is fixed; what is wrong is for the administrator's eyes.
std::unexpected<LocalExit> cannot_use_users_cdb(const Error& error) {
  warn(describe(error));
  return std::unexpected(LocalExit::users_cdb_trouble);
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

std::expected<std::optional<wire::LocalUser>, LocalExit> find_assigned_user(
    const std::string& file, std::string_view local) {
  auto users = control::Cdb::open(file);
  if (!users && users.error().code == ENOENT) return std::nullopt;
  if (!users) return cannot_use_users_cdb(users.error());
  auto user = find_user(*users, local);
  if (!user) return cannot_use_users_cdb(user.error());
  return std::move(*user);
}

}  // namespace postern::spawning

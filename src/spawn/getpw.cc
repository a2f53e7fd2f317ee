#include "spawn/getpw.h"

#include "base/ascii.h"

namespace postern::spawning {
namespace {

constexpr std::size_t most_user_name = 31;  // bytes
constexpr char break_character = '-';       // conf-break
constexpr const char* alias_user = "alias";

// The user of that name, if mail may be delivered to it.
std::expected<std::optional<SystemUser>, LocalExit> find_mail_user(UserDatabase& database,
                                                                   const std::string& name) {
  const auto user = database.find(name);
  if (!user) return std::unexpected(LocalExit::system_trouble);
  if (!*user || (*user)->uid == 0) return std::nullopt;
  const auto owner = database.owner_of((*user)->home);
  if (!owner) return std::unexpected(LocalExit::file_server_trouble);
  if (*owner != (*user)->uid) return std::nullopt;
  return *user;
}

wire::LocalUser local_user(const SystemUser& user, std::string_view dash,
                           std::string_view extension) {
  return {user.name, user.uid, user.gid, user.home, std::string(dash), std::string(extension)};
}

}  // namespace

std::expected<wire::LocalUser, LocalExit> find_system_user(UserDatabase& database,
                                                           std::string_view local) {
  for (std::size_t length = local.size() + 1; length-- > 0;) {
    const bool whole = length == local.size();
    if (length > most_user_name || (!whole && local[length] != break_character)) continue;
    const auto user = find_mail_user(database, lower(local.substr(0, length)));
    if (!user) return std::unexpected(user.error());
    if (!*user) continue;
    if (whole) return local_user(**user, "", "");
    return local_user(**user, "-", local.substr(length + 1));
  }
  const auto alias = database.find(alias_user);
  if (!alias) return std::unexpected(LocalExit::system_trouble);
  if (!*alias) return std::unexpected(LocalExit::no_alias_user);
  return local_user(**alias, "-", local);
}

}  // namespace postern::spawning

#include "posix/identity.h"

#include <grp.h>
#include <unistd.h>

#include <array>
#include <optional>

#include "base/integers.h"
#include "posix/files.h"

namespace postern {
namespace {

using Fields = std::array<std::string_view, 4>;

std::string_view take_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return line;
}

Fields split(std::string_view line) {
  Fields fields;
  for (auto& field : fields) {
    const std::size_t colon = line.find(':');
    field = line.substr(0, colon);
    line.remove_prefix(colon == std::string_view::npos ? line.size() : colon + 1);
  }
  return fields;
}

// The fields of the line of `text` that begins with `name` and a colon.
std::optional<Fields> find_line(std::string_view text, std::string_view name) {
  while (!text.empty()) {
    const std::string_view line = take_line(text);
    if (line.starts_with(name) && line.substr(name.size(), 1) == ":") return split(line);
  }
  return std::nullopt;
}

}  // namespace

bool become_in_child(const Identity& identity) noexcept {
  // To setresuid and setresgid -1 means "as it is": whoever asked for it would stay root.
  constexpr auto no_change = static_cast<uid_t>(-1);
  if (identity.uid == 0 || identity.uid == no_change || identity.gid == no_change) {
    errno = EPERM;
    return false;
  }
  if (::setgroups(identity.groups.size(), identity.groups.data()) != 0) return false;
  if (::setresgid(identity.gid, identity.gid, identity.gid) != 0) return false;
  if (::setresuid(identity.uid, identity.uid, identity.uid) != 0) return false;
  // Proof: a kernel or a capability that would let us back must not be trusted with a user's code.
  if (::setuid(0) == 0 || ::seteuid(0) == 0) {
    errno = EPERM;
    return false;
  }
  return true;
}

Status become(const Identity& identity) {
  if (!become_in_child(identity)) return system_failure("unable to give up privilege");
  return {};
}

Result<Identity> find_local_user(std::string_view passwd, std::string_view name) {
  const auto fields = find_line(passwd, name);
  if (!fields) return failure("no user " + std::string(name) + " in /etc/passwd");
  const auto uid = parse_decimal<uid_t>((*fields)[2]);
  const auto gid = parse_decimal<gid_t>((*fields)[3]);
  if (!uid || !gid) return failure("user " + std::string(name) + " has no ids in /etc/passwd");
  return Identity{*uid, *gid, {}};
}

Result<gid_t> find_local_group(std::string_view group, std::string_view name) {
  const auto fields = find_line(group, name);
  if (!fields) return failure("no group " + std::string(name) + " in /etc/group");
  const auto gid = parse_decimal<gid_t>((*fields)[2]);
  if (!gid) return failure("group " + std::string(name) + " has no id in /etc/group");
  return *gid;
}

Result<std::string> find_local_name(std::string_view passwd, uid_t uid) {
  while (!passwd.empty()) {
    const Fields fields = split(take_line(passwd));
    if (!fields[0].empty() && parse_decimal<uid_t>(fields[2]) == uid) return std::string(fields[0]);
  }
  return failure("no user with uid " + std::to_string(uid) + " in /etc/passwd");
}

Result<SuiteIds> read_suite_ids() {
  const auto passwd = read_file("/etc/passwd", most_user_database);
  if (!passwd) return std::unexpected(passwd.error());
  const auto group = read_file("/etc/group", most_user_database);
  if (!group) return std::unexpected(group.error());

  struct User {
    std::string_view name;
    uid_t SuiteIds::* id;
  };
  constexpr std::array<User, 7> users = {{{"alias", &SuiteIds::alias},
                                          {"qmaild", &SuiteIds::daemon},
                                          {"qmaill", &SuiteIds::log},
                                          {"qmailp", &SuiteIds::password},
                                          {"qmailq", &SuiteIds::queue},
                                          {"qmailr", &SuiteIds::remote},
                                          {"qmails", &SuiteIds::send}}};
  SuiteIds ids;
  for (const auto& [name, member] : users) {
    const auto user = find_local_user(*passwd, name);
    if (!user) return std::unexpected(user.error());
    ids.*member = user->uid;
  }
  const auto qmail = find_local_group(*group, "qmail");
  if (!qmail) return std::unexpected(qmail.error());
  const auto nofiles = find_local_group(*group, "nofiles");
  if (!nofiles) return std::unexpected(nofiles.error());
  ids.qmail = *qmail;
  ids.nofiles = *nofiles;
  return ids;
}

}  // namespace postern

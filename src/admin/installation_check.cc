#include "admin/installation_check.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <optional>

#include "posix/identity.h"

namespace postern::admin {
namespace {

using wire::LayoutEntry;
using Kind = LayoutEntry::Kind;

std::string octal(mode_t mode) {
  char text[16];
  std::snprintf(text, sizeof text, "%04o", static_cast<unsigned>(mode));
  return text;
}

mode_t type_of(Kind kind) {
  switch (kind) {
    case Kind::directory:
      return S_IFDIR;
    case Kind::fifo:
      return S_IFIFO;
    case Kind::link:
      return S_IFLNK;
    case Kind::file:
    case Kind::program:
      return S_IFREG;
  }
  bug("unknown kind of path");
}

std::string_view name_of(Kind kind) {
  switch (kind) {
    case Kind::directory:
      return "a directory";
    case Kind::fifo:
      return "a named pipe";
    case Kind::link:
      return "a symbolic link";
    case Kind::file:
    case Kind::program:
      return "a file";
  }
  bug("unknown kind of path");
}

std::string check_link(const LayoutEntry& entry) {
  std::string target(entry.target.size() + 1, '\0');
  const ssize_t length = ::readlink(entry.path.c_str(), target.data(), target.size());
  if (length < 0 || target.substr(0, static_cast<std::size_t>(length)) != entry.target) {
    return "does not lead to " + entry.target;
  }
  return {};
}

class Users {
 public:
  Users(std::string_view passwd, std::string_view group) : passwd_(passwd), group_(group) {}

  // Everything that differs, in one text; empty: nothing does.
  [[nodiscard]] std::string compare(const LayoutEntry& entry, const struct stat& info) const {
    std::string text;
    const auto add = [&text](const std::string& difference) {
      text += (text.empty() ? "" : "; ") + difference;
    };
    const auto owner = find_local_user(passwd_, entry.owner);
    const auto group = find_local_group(group_, entry.group);
    if (!owner) add(owner.error().what);
    if (!group) add(group.error().what);
    if (owner && owner->uid != info.st_uid) {
      add("belongs to user " + std::to_string(info.st_uid) + ", not to " + entry.owner);
    }
    if (group && *group != info.st_gid) {
      add("belongs to group " + std::to_string(info.st_gid) + ", not to " + entry.group);
    }
    const mode_t mode = info.st_mode & 07777;
    if (mode != entry.mode) add("has mode " + octal(mode) + ", not " + octal(entry.mode));
    return text;
  }

 private:
  std::string_view passwd_;
  std::string_view group_;
};

std::string check_entry(const LayoutEntry& entry, const Users& users) {
  struct stat info{};
  if (::lstat(entry.path.c_str(), &info) != 0) {
    if (errno != ENOENT) return describe({"cannot be looked at", errno});
    return entry.needed ? "does not exist" : "";
  }
  if ((info.st_mode & S_IFMT) != type_of(entry.kind)) {
    return "is not " + std::string(name_of(entry.kind));
  }
  return entry.kind == Kind::link ? check_link(entry) : users.compare(entry, info);
}

}  // namespace

std::vector<std::string> check_installation(const std::vector<LayoutEntry>& layout,
                                            std::string_view passwd, std::string_view group) {
  const Users users(passwd, group);
  std::vector<std::string> differences;
  for (const auto& entry : layout) {
    const std::string difference = check_entry(entry, users);
    if (!difference.empty()) differences.push_back(entry.path + " " + difference);
  }
  return differences;
}

}  // namespace postern::admin

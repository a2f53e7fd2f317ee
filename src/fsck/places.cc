#include "fsck/places.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>

#include "fsck/owner.h"
#include "fsck/stray.h"
#include "posix/files.h"

namespace postern::fsck {
namespace {

using LayoutKind = wire::LayoutEntry::Kind;

mode_t type_of(const Place& place) {
  switch (place.kind) {
    case LayoutKind::directory:
      return S_IFDIR;
    case LayoutKind::fifo:
      return S_IFIFO;
    case LayoutKind::file:
    case LayoutKind::program:
    case LayoutKind::link:
      return S_IFREG;
  }
  bug("unknown kind of place");
}

std::string_view name_of_type(mode_t type) {
  if (type == S_IFDIR) return "a directory";
  return type == S_IFIFO ? "a FIFO" : "a file";
}

// Nothing: not one of the suite's own.
std::optional<uid_t> user_of(std::string_view name, const SuiteIds& ids) {
  if (name == "qmailq") return ids.queue;
  if (name == "qmails") return ids.send;
  if (name == "qmailr") return ids.remote;
  return std::nullopt;
}

std::optional<struct stat> look_at(const std::string& path) {
  struct stat info{};
  if (::lstat(path.c_str(), &info) != 0) return std::nullopt;
  return info;
}

std::string octal(mode_t mode) {
  char text[16];
  std::snprintf(text, sizeof text, "%04o", static_cast<unsigned>(mode));
  return text;
}

// What it means, for those where it is not plain.
std::string_view consequence(std::string_view path) {
  if (path == wire::lock_trigger) return ": new mail is seen up to 25 minutes late";
  if (path == wire::lock_sendmutex) return ": qmail-send does not start";
  if (path == wire::lock_tcpto || path == wire::lock_tcpto6) {
    return ": dead hosts are tried again and again";
  }
  return "";
}

std::string owner_and_mode(uid_t uid, gid_t gid, mode_t mode) {
  return std::to_string(uid) + ":" + std::to_string(gid) + " " + octal(mode);
}

Status make(const Place& place) {
  const char* path = place.path.c_str();
  switch (place.kind) {
    case LayoutKind::directory:
      if (::mkdir(path, 0700) == 0) return {};
      break;
    case LayoutKind::fifo:
      if (::mkfifo(path, 0600) == 0) return {};
      break;
    case LayoutKind::file:
    case LayoutKind::program:
    case LayoutKind::link: {
      const auto made = create_new_file(place.path, 0600);
      return made ? Status{} : std::unexpected(made.error());
    }
  }
  return system_failure("unable to make " + place.path);
}

Status set_size(const Place& place) {
  const auto fd = open_file(place.path, O_WRONLY | O_NOFOLLOW | O_NONBLOCK);
  if (!fd) return std::unexpected(fd.error());
  if (::ftruncate(fd->get(), static_cast<off_t>(place.size)) == 0) return {};
  return system_failure("unable to set the size of " + place.path);
}

bool has_wrong_size(const Place& place, const struct stat& info) {
  return place.kind == LayoutKind::file && place.size != 0 &&
         static_cast<std::uint64_t>(info.st_size) != place.size;
}

}  // namespace

std::vector<Place> queue_places(MessageId split, const SuiteIds& ids) {
  const std::string top = "/queue";
  std::vector<Place> places;
  for (const auto& entry : wire::installed_layout("")) {
    if (entry.path != top && !entry.path.starts_with(top + "/")) continue;
    if (entry.is_split_part) continue;  // theirs is the split that this was built for
    const auto uid = user_of(entry.owner, ids);
    if (!uid || entry.group != "qmail") bug("scripts/layout gives the queue to a stranger");
    const std::string path = entry.path == top ? "." : entry.path.substr(top.size() + 1);
    places.push_back({entry.kind, path, *uid, ids.qmail, entry.mode, entry.size});
    for (const auto& facts : kinds) {
      if (!facts.is_split || facts.name != path) continue;
      for (MessageId part = 0; part < split; ++part) {
        places.push_back(places.back());
        places.back().path = wire::split_directory(facts.name, part, split);
      }
    }
  }
  return places;
}

Result<std::optional<Finding>> check_place(const Place& place) {
  const std::string meaning(consequence(place.path));
  const auto info = look_at(place.path);
  if (!info && errno != ENOENT) return system_failure("unable to stat " + place.path);
  if (!info) return Finding{place.path + ": missing" + meaning, "made"};
  if (S_ISLNK(info->st_mode) && place.kind == LayoutKind::directory) {
    return failure(place.path + " is a symbolic link, and none is followed here: mount what it " +
                   "leads to in its place");
  }
  if ((info->st_mode & S_IFMT) != type_of(place)) {
    return Finding{place.path + ": not " + std::string(name_of_type(type_of(place))) + meaning,
                   "made; what was there is in " + std::string(set_aside) + "/strays"};
  }
  if (has_wrong_size(place, *info)) {
    return Finding{place.path + ": its size is " + std::to_string(info->st_size) + ", not " +
                       std::to_string(place.size) + meaning,
                   "set right"};
  }
  const mode_t mode = info->st_mode & 07777;
  if (info->st_uid == place.uid && info->st_gid == place.gid && mode == place.mode) {
    return std::nullopt;
  }
  if (mode == 0 && (place.path == entrance || place.path == exit_lock)) {
    return Finding{place.path + ": closed by a repair that did not end", "opened"};
  }
  return Finding{place.path + ": its owner and mode are " +
                     owner_and_mode(info->st_uid, info->st_gid, mode) + ", not " +
                     owner_and_mode(place.uid, place.gid, place.mode),
                 "set right"};
}

Status put_right(const Place& place) {
  const auto info = look_at(place.path);
  const bool is_other = info && (info->st_mode & S_IFMT) != type_of(place);
  if (is_other) {
    if (auto moved = keep_stray(place.path); !moved) return moved;
  }
  if (!info || is_other) {
    if (auto made = make(place); !made) return made;
  }
  if (place.size != 0) {
    if (auto sized = set_size(place); !sized) return sized;
  }
  return own(place.path, type_of(place), place.uid, place.gid, place.mode);
}

}  // namespace postern::fsck

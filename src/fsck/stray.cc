// A message's directory is called 100.unfinished until all of its files are in it, so that a repair
// that was cut short goes on with it, and does not mix it with a later message of that number.
#include "fsck/stray.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <memory>

#include "base/ascii.h"
#include "posix/files.h"

namespace postern::fsck {
namespace {

constexpr std::string_view unfinished = ".unfinished";
constexpr int most_names = 100000;

// As `to`, or `to`-2, `to`-3 and so on where that is taken.
Status move_to_free_name(const std::string& from, const std::string& to) {
  for (int i = 1; i < most_names; ++i) {
    const std::string name = i == 1 ? to : to + "-" + std::to_string(i);
    auto moved = rename_to_new_name(from, name);
    if (moved || moved.error().code != EEXIST) return moved;
  }
  return failure("no name is free for " + to);
}

// The reason that was given first stands.
Status write_if_new(const std::string& path, std::string_view text) {
  struct stat info{};
  if (::lstat(path.c_str(), &info) == 0) return {};
  return replace_file(path, path + ".new", text, 0600);
}

std::string explain(const Aside& aside) {
  std::string text = "qmail-queue-fsck has taken message " + std::to_string(aside.number) +
                     " out of the queue.\n" + aside.reason + ".\n\nWhat was there of it:\n";
  for (const auto& file : aside.files) text += "  " + file.path + "\n";
  return text +
         "\nThe text is in `mess`, with its trace fields. Recipients stand in `todo` (or `intd`),\n"
         "`local` and `remote`, each after a T (to do) or a D (done); the sender stands in `todo` "
         "or\n"
         "`info` after an F. To send it again, with the sender and recipients that are right:\n"
         "  /var/qmail/bin/sendmail -f SENDER -- RECIPIENT ... < mess\n"
         "Nothing reads this directory; remove it when it is not needed any more.\n";
}

}  // namespace

Status make_private_directory(const std::string& path) {
  if (::mkdir(path.c_str(), 0700) == 0) return {};
  if (errno != EEXIST) return system_failure("unable to make " + path);
  struct stat info{};
  if (::lstat(path.c_str(), &info) != 0) return system_failure("unable to stat " + path);
  if (S_ISDIR(info.st_mode) && info.st_uid == ::geteuid()) return {};
  return failure(path + " is in the way: move it out of the queue");
}

Status keep_stray(const std::string& path) {
  const std::string directory = std::string(set_aside) + "/strays";
  if (auto made = make_private_directory(set_aside); !made) return made;
  if (auto made = make_private_directory(directory); !made) return made;
  return move_to_free_name(path, directory + "/" + replace_all(path, '/', '.'));
}

Status keep_message(const Aside& aside) {
  const std::string name = std::string(set_aside) + "/" + std::to_string(aside.number);
  const std::string directory = name + std::string(unfinished);
  if (auto made = make_private_directory(set_aside); !made) return made;
  if (auto made = make_private_directory(directory); !made) return made;
  // First of all, so that nothing lies here unexplained, however this ends.
  if (auto written = write_if_new(directory + "/why", explain(aside)); !written) return written;
  for (const auto& file : aside.files) {
    auto moved =
        move_to_free_name(file.path, directory + "/" + std::string(facts_of(file.kind).name));
    if (!moved) return moved;
  }
  return move_to_free_name(directory, name);
}

Status finish_asides() {
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(::opendir(set_aside), ::closedir);
  if (!stream) return errno == ENOENT ? Status{} : system_failure("unable to list set-aside");
  std::vector<std::string> names;
  while (const dirent* entry = ::readdir(stream.get())) {
    if (std::string_view(entry->d_name).ends_with(unfinished)) names.emplace_back(entry->d_name);
  }
  for (const auto& name : names) {
    const std::string path = std::string(set_aside) + "/" + name;
    if (auto moved = move_to_free_name(path, path.substr(0, path.size() - unfinished.size()));
        !moved) {
      return moved;
    }
  }
  return {};
}

}  // namespace postern::fsck

// Renumbering. After a copy every text has another inode number, so every message another name, and
// the new name of one may be the old name of another. Hence two phases, each through a directory of
// its own in which a file's name says where it comes from and where it goes:
//
//   1. gathering   every file that has to move is renamed to fsck-gathering/KIND.OLD.NEW
//   2. placing     fsck-gathering is renamed to fsck-placing; each file goes to its new place
//
// Killed in the first, what has been gathered still counts as its message's by the old number, and
// the next repair reads it together with the rest. Killed in the second, everything in the
// directory goes by its new number, and the next repair puts it there before it looks at anything
// else. Which of the two it is, is said by one name, changed by one rename. No file is ever copied
// or removed.
//
// A power cut may persist renames in another order than they were made. So all of phase 1 is on the
// disk before the name changes, the name is before the first file is placed, and what is placed is
// before the directory goes: otherwise files could be found under new numbers among old ones, and
// nobody could tell which is which.
#include "fsck/mender.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <memory>

#include "fsck/stray.h"
#include "posix/files.h"

namespace postern::fsck {
namespace {

bool is_there(const char* path) {
  struct stat info{};
  return ::lstat(path, &info) == 0;
}

Result<std::vector<Passage>> passages_in(const char* directory) {
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(::opendir(directory), ::closedir);
  if (!stream) return system_failure(std::string("unable to list ") + directory);
  std::vector<Passage> passages;
  while (const dirent* entry = ::readdir(stream.get())) {
    if (entry->d_name[0] == '.') continue;
    const auto passage = parse_passage(entry->d_name);
    if (!passage) {
      return failure(std::string(directory) + "/" + entry->d_name +
                     " is not the repair's own: move it away");
    }
    passages.push_back(*passage);
  }
  // A text goes last: what stands beside no text is ignored by everybody, but a text that stands
  // alone is debris, to be removed.
  std::ranges::sort(passages, {}, [](const Passage& passage) {
    return std::pair(passage.to, passage.kind == Kind::mess);
  });
  return passages;
}

Status gather(const std::vector<Move>& moves) {
  if (auto made = make_private_directory(gathering); !made) return made;
  for (const auto& move : moves) {
    const std::string to = std::string(gathering) + "/" + format_passage(move.passage);
    if (move.path == to) continue;
    if (auto moved = rename_to_new_name(move.path, to); !moved) return moved;
  }
  return {};
}

}  // namespace

bool is_unfinished() { return is_there(gathering) || is_there(placing); }

Status sync_queue() {
  const auto fd = open_file(".", O_RDONLY | O_DIRECTORY);
  if (!fd) return std::unexpected(fd.error());
  if (::syncfs(fd->get()) == 0) return {};
  return system_failure("unable to sync the queue");
}

Status resume_placing(MessageId split) {
  if (!is_there(placing)) return {};
  // The rename to this name, if it was the last thing that happened.
  if (auto synced = sync_queue(); !synced) return synced;
  const auto passages = passages_in(placing);
  if (!passages) return std::unexpected(passages.error());
  for (const auto& passage : *passages) {
    const std::string from = std::string(placing) + "/" + format_passage(passage);
    auto moved = rename_to_new_name(from, place_of(passage.kind, passage.to, split));
    if (!moved) return moved;
  }
  if (auto synced = sync_queue(); !synced) return synced;
  if (::rmdir(placing) == 0) return {};
  return system_failure(std::string("unable to remove ") + placing);
}

Status move_files(const std::vector<Move>& moves, MessageId split) {
  if (moves.empty() && !is_there(gathering)) return {};
  if (auto done = gather(moves); !done) return done;
  if (auto synced = sync_queue(); !synced) return synced;
  if (auto renamed = rename_to_new_name(gathering, placing); !renamed) return renamed;
  return resume_placing(split);
}

}  // namespace postern::fsck

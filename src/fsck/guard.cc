#include "fsck/guard.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <memory>

#include "base/ascii.h"
#include "base/integers.h"
#include "fsck/mender.h"
#include "fsck/owner.h"
#include "posix/files.h"
#include "posix/lock.h"

namespace postern::fsck {
namespace {

constexpr int pause_milliseconds = 50;

bool is_writer(const std::string& process, const struct stat& queue) {
  const auto name = read_file("/proc/" + process + "/comm", 64);
  if (!name || trim_end(*name) != "qmail-queue") return false;
  const auto where = stat_file("/proc/" + process + "/cwd");
  return where && where->st_dev == queue.st_dev && where->st_ino == queue.st_ino;
}

// The process id of a qmail-queue at work in this queue; empty: none.
std::string find_writer(const struct stat& queue) {
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(::opendir("/proc"), ::closedir);
  if (!stream) return {};
  while (const dirent* entry = ::readdir(stream.get())) {
    const std::string name = entry->d_name;
    if (parse_decimal(name) && is_writer(name, queue)) return name;
  }
  return {};
}

}  // namespace

Result<Fd> lock_queue() {
  auto fd = open_file(exit_lock, O_WRONLY | O_NONBLOCK | O_NOFOLLOW);
  if (!fd && fd.error().code == ENOENT) return Fd();
  if (!fd) return fd;
  const auto locked = try_lock(fd->get());
  if (locked) return fd;
  if (locked.error().code != EWOULDBLOCK) return std::unexpected(locked.error());
  return failure("qmail-send is running: stop it first (qmailctl stop), start it afterwards");
}

Status close_queue(int lock) {
  if (::fchmod(lock, 0) != 0) return system_failure("unable to close lock/sendmutex");
  const auto entry = open_file(entrance, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  if (!entry) return std::unexpected(entry.error());
  if (::fchmod(entry->get(), 0) != 0) return system_failure("unable to close pid");
  // On the disk before anything is moved: after a power cut the suite may start by itself.
  return sync_queue();
}

Status wait_for_writers(Deadline deadline) {
  const auto queue = stat_file(".");
  if (!queue) return std::unexpected(queue.error());
  for (;;) {
    const std::string process = find_writer(*queue);
    if (process.empty()) return {};
    if (deadline.passed()) {
      return failure("qmail-queue, process " + process +
                     ", is still taking a message: end what feeds it, and try again");
    }
    ::poll(nullptr, 0, pause_milliseconds);
  }
}

Status open_queue(const std::vector<Place>& places) {
  // What was mended is on the disk before anybody may change it again.
  if (auto synced = sync_queue(); !synced) return synced;
  for (const auto& place : places) {
    if (place.path != entrance && place.path != exit_lock) continue;
    if (auto done = put_right(place); !done) return done;
  }
  return sync_queue();
}

}  // namespace postern::fsck

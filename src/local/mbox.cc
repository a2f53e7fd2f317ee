// Every program that writes an mbox must hold the same lock, and there are two kinds: flock, which
// qmail and the BSDs use, and fcntl, which Debian's policy asks of mail readers (mutt, Dovecot,
// mailx, procmail). So both are taken, and neither is kept while waiting for the other: two
// programs that took them in a different order would wait for each other.
#include "local/mbox.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <unistd.h>

#include <expected>

#include "local/from_quoter.h"
#include "posix/clock.h"
#include "posix/files.h"
#include "posix/io.h"

namespace postern::local {
namespace {

constexpr int pause_between_tries = 20;  // milliseconds

struct Mailbox {
  Fd fd;
  bool created = false;
  bool readable = true;
};

enum class Lock { held, busy, unsupported };

Lock try_flock(int fd) {
  if (::flock(fd, LOCK_EX | LOCK_NB) == 0) return Lock::held;
  return errno == EWOULDBLOCK || errno == EINTR ? Lock::busy : Lock::unsupported;
}

Lock try_fcntl_lock(int fd) {
  struct flock whole_file{};
  whole_file.l_type = F_WRLCK;
  whole_file.l_whence = SEEK_SET;
  if (::fcntl(fd, F_OFD_SETLK, &whole_file) == 0) return Lock::held;
  return errno == EAGAIN || errno == EACCES || errno == EINTR ? Lock::busy : Lock::unsupported;
}

// Held when one kind is and the other is not supported, as on some network file systems.
Lock try_both(int fd) {
  const Lock first = try_flock(fd);
  if (first == Lock::busy) return Lock::busy;
  const Lock second = try_fcntl_lock(fd);
  if (second == Lock::busy) {
    ::flock(fd, LOCK_UN);
    return Lock::busy;
  }
  return first == Lock::held ? first : second;
}

Lock wait_for_lock(int fd, Deadline deadline) {
  for (;;) {
    const Lock lock = try_both(fd);
    if (lock != Lock::busy || deadline.passed()) return lock;
    ::poll(nullptr, 0, pause_between_tries);
  }
}

std::unexpected<Failure> cannot_open(const std::string& path, int code) {
  return defer_for("Unable to open " + path, code, "(#4.2.1)");
}

// Reading is wanted only to see how the file ends; a file that may only be written will do.
Result<Fd> open_for_appending(const std::string& path, int more, bool& readable) {
  // O_NONBLOCK: a FIFO without a reader is an error, not a wait.
  const int flags = O_APPEND | O_NONBLOCK | O_NOCTTY | more;
  auto fd = open_file(path, O_RDWR | flags, 0600);
  readable = fd.has_value();
  if (!fd && fd.error().code == EACCES) fd = open_file(path, O_WRONLY | flags, 0600);
  return fd;
}

std::expected<Mailbox, Failure> open_mailbox(const std::string& path) {
  Mailbox mailbox;
  auto fd = open_for_appending(path, 0, mailbox.readable);
  if (!fd && fd.error().code == ENOENT) {
    fd = open_for_appending(path, O_CREAT, mailbox.readable);
    mailbox.created = true;
  }
  if (!fd) return cannot_open(path, fd.error().code);
  mailbox.fd = std::move(*fd);
  const auto info = stat_open_file(mailbox.fd.get());
  if (!info) return cannot_open(path, info.error().code);
  // What goes into a FIFO is gone when nobody reads it. /dev/null is a way to say "nobody".
  if (S_ISREG(info->st_mode) || S_ISCHR(info->st_mode)) return mailbox;
  return cannot_open(path + ": not a file", 0);
}

// Whether the file we hold is still the one at that path: a mail reader may have replaced it.
bool is_current(const Mailbox& mailbox, const std::string& path) {
  const auto ours = stat_open_file(mailbox.fd.get());
  const auto named = stat_file(path);
  return ours && named && ours->st_dev == named->st_dev && ours->st_ino == named->st_ino;
}

std::string directory_of(const std::string& path) {
  return path.substr(0, path.rfind('/') + 1) + ".";
}

// An append that was cut off by a crash must not swallow the message after it.
std::string_view missing_blank_line(const Mailbox& mailbox, off_t end) {
  if (!mailbox.readable || end == 0) return "";
  char last[2] = {'\n', '\n'};
  const std::size_t wanted = end == 1 ? 1 : 2;
  char* to = last + 2 - wanted;
  if (::pread(mailbox.fd.get(), to, wanted, end - static_cast<off_t>(wanted)) !=
      static_cast<ssize_t>(wanted)) {
    return "";
  }
  if (last[1] != '\n') return "\n\n";
  return last[0] != '\n' ? "\n" : "";
}

std::unexpected<Failure> cannot_write(const std::string& path, int code) {
  return defer_for("Unable to write " + path, code);
}

Outcome append(const Mailbox& mailbox, const std::string& path, std::string_view head,
               const Message& message) {
  BufferedOutput output(mailbox.fd.get());
  if (const auto put = output.put(head); !put) return cannot_write(path, put.error().code);
  Message::Reader reader(message);
  FromQuoter quoter;
  std::string quoted;
  for (bool more = true; more;) {
    const auto piece = reader.next();
    if (!piece) return defer(std::string(unreadable_message));
    more = !piece->empty();
    quoted.clear();
    more ? quoter.feed(*piece, quoted) : quoter.finish(quoted);
    if (const auto put = output.put(quoted); !put) return cannot_write(path, put.error().code);
  }
  if (const auto flushed = output.flush(); !flushed) {
    return cannot_write(path, flushed.error().code);
  }
  return {};
}

Outcome sync_mailbox(const Mailbox& mailbox, const std::string& path) {
  // A device (/dev/null) has nothing to sync, and says so.
  if (::fsync(mailbox.fd.get()) != 0 && errno != EINVAL) return cannot_write(path, errno);
  if (!mailbox.created) return {};
  const auto synced = sync_directory(directory_of(path));
  if (synced) return {};
  // A directory that may be written but not read: only the whole file system can be synced.
  if (synced.error().code == EACCES && ::syncfs(mailbox.fd.get()) == 0) return {};
  return cannot_write(path, synced.error().code);
}

}  // namespace

Outcome deliver_to_mbox(const std::string& path, std::string_view head, const Message& message,
                        std::chrono::milliseconds patience) {
  const Deadline deadline = Deadline::after(patience);
  auto mailbox = open_mailbox(path);
  if (!mailbox) return std::unexpected(mailbox.error());
  Lock lock = wait_for_lock(mailbox->fd.get(), deadline);
  while (lock == Lock::held && !is_current(*mailbox, path) && !deadline.passed()) {
    mailbox = open_mailbox(path);
    if (!mailbox) return std::unexpected(mailbox.error());
    lock = wait_for_lock(mailbox->fd.get(), deadline);
  }
  if (lock == Lock::busy) {
    return defer("File has been locked for 30 seconds straight. (#4.3.0)");
  }

  const off_t end = ::lseek(mailbox->fd.get(), 0, SEEK_END);
  const std::string start = std::string(missing_blank_line(*mailbox, end)).append(head);
  auto done = append(*mailbox, path, start, message);
  if (done) done = sync_mailbox(*mailbox, path);
  // Without the lock, somebody else's message may stand behind ours.
  if (!done && lock == Lock::held && end >= 0) {
    [[maybe_unused]] const int cut = ::ftruncate(mailbox->fd.get(), end);
  }
  return done;
}

}  // namespace postern::local

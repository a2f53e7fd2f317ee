#include "local/maildir.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <expected>
#include <utility>

#include "posix/clock.h"
#include "posix/files.h"
#include "posix/io.h"
#include "wire/time_limits.h"

namespace postern::local {
namespace {

constexpr int most_tries = 3;
constexpr std::chrono::seconds pause_between_tries{2};

std::unexpected<Failure> trouble() {
  return defer("Temporary error on maildir delivery. (#4.3.0)");
}

// A file in tmp/, which goes away again unless it has been moved to new/.
class TemporaryFile {
 public:
  TemporaryFile(int maildir, Fd fd, const std::string& name)
      : maildir_(maildir), fd_(std::move(fd)), tmp_name_("tmp/" + name), new_name_("new/" + name) {}
  TemporaryFile(TemporaryFile&& other) noexcept
      : maildir_(other.maildir_),
        fd_(std::move(other.fd_)),
        tmp_name_(std::move(other.tmp_name_)),
        new_name_(std::move(other.new_name_)),
        in_tmp_(std::exchange(other.in_tmp_, false)) {}
  TemporaryFile& operator=(TemporaryFile&&) = delete;
  ~TemporaryFile() {
    if (in_tmp_) ::unlinkat(maildir_, tmp_name_.c_str(), 0);
  }

  [[nodiscard]] int fd() const { return fd_.get(); }
  // False: the name is in use there, or the move failed.
  bool move_to_new();
  void remove_from_new() const { ::unlinkat(maildir_, new_name_.c_str(), 0); }

 private:
  int maildir_;  // borrowed
  Fd fd_;
  std::string tmp_name_;
  std::string new_name_;
  bool in_tmp_ = true;
};

bool TemporaryFile::move_to_new() {
  const char* from = tmp_name_.c_str();
  const char* to = new_name_.c_str();
  if (::renameat2(maildir_, from, maildir_, to, RENAME_NOREPLACE) == 0) {
    in_tmp_ = false;
    return true;
  }
  // File systems that cannot rename without replacing (NFS) can link; tmp/ is cleared behind it.
  if (errno != EINVAL && errno != ENOSYS) return false;
  return ::linkat(maildir_, from, maildir_, to, 0) == 0;
}

std::expected<Fd, Failure> open_maildir(const std::string& directory) {
  // "/." asks for the right to enter, as chdir would.
  auto fd = open_file(directory + ".", O_PATH | O_DIRECTORY);
  if (fd) return std::move(*fd);
  if (is_temporary(fd.error().code)) return trouble();
  return defer("Unable to chdir to maildir. (#4.2.1)");
}

std::expected<TemporaryFile, Failure> create_temporary(int maildir, MaildirNames& names) {
  for (int tries = 1;; ++tries) {
    const std::string name = names.next();
    Fd fd(
        ::openat(maildir, ("tmp/" + name).c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (fd) return TemporaryFile(maildir, std::move(fd), name);
    if (errno != EEXIST || tries == most_tries) return trouble();
    names.pause(pause_between_tries);
  }
}

Outcome write_message(int fd, std::string_view head, const Message& message) {
  // The file would be swept as debris long after this; nothing that slow is a delivery.
  const auto deadline = Deadline::after(std::chrono::seconds(wire::maildir_writer_deadline));
  BufferedOutput output(fd);
  if (!output.put(head)) return trouble();
  Message::Reader reader(message);
  for (;;) {
    const auto piece = reader.next();
    if (!piece) return defer(std::string(unreadable_message));
    if (piece->empty()) break;
    if (!output.put(*piece)) return trouble();
    if (deadline.passed()) return defer("Timeout on maildir delivery. (#4.3.0)");
  }
  if (!output.flush() || ::fsync(fd) != 0) return trouble();
  return {};
}

// The owner may have made new/ unreadable, and then only the whole file system can be synced.
bool sync_names(int maildir, int file) {
  const Fd directory(::openat(maildir, "new", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory) return ::fsync(directory.get()) == 0;
  return errno == EACCES && ::syncfs(file) == 0;
}

}  // namespace

MaildirNames MaildirNames::of_this_process() {
  char host[256] = "";
  if (::gethostname(host, sizeof host - 1) != 0) host[0] = '\0';
  return {.host = *host != '\0' ? host : "localhost",
          .pid = ::getpid(),
          .now = unix_time,
          .pause = [](std::chrono::seconds span) { ::sleep(static_cast<unsigned>(span.count())); }};
}

std::string MaildirNames::next() { return wire::format_maildir_name({now(), pid, count++}, host); }

Outcome deliver_to_maildir(const std::string& directory, std::string_view head,
                           const Message& message, MaildirNames& names) {
  const auto maildir = open_maildir(directory);
  if (!maildir) return std::unexpected(maildir.error());
  auto file = create_temporary(maildir->get(), names);
  if (!file) return std::unexpected(file.error());
  if (auto written = write_message(file->fd(), head, message); !written) return written;
  if (!file->move_to_new()) return trouble();
  if (sync_names(maildir->get(), file->fd())) return {};
  // The message will come again; as far as we can, not twice.
  file->remove_from_new();
  return trouble();
}

}  // namespace postern::local

#include "pop3/maildir.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <memory>

#include "posix/files.h"
#include "posix/io.h"
#include "wire/time_limits.h"

namespace postern::pop3 {
namespace {

const char* path_of(Folder folder) { return folder == Folder::fresh ? "new" : "cur"; }

std::string file_of(const Mailbox& mailbox, std::size_t index) {
  return std::string(path_of(mailbox.folder(index))).append("/").append(mailbox.name(index));
}

std::int64_t nanoseconds(const timespec& time) {
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

// Where a message belongs when the session is over: in cur, with S among its flags, which stand in
// the order of the alphabet, if it has been read.
std::string file_afterwards(std::string_view name, bool read) {
  std::string file = "cur/" + std::string(name);
  if (!name.contains(":2,")) file += ":2,";
  const std::size_t flags = file.rfind(":2,") + 3;
  if (!read || file.find('S', flags) != std::string::npos) return file;
  const auto place = std::find_if(file.begin() + static_cast<std::ptrdiff_t>(flags), file.end(),
                                  [](char flag) { return flag > 'S'; });
  file.insert(place, 'S');
  return file;
}

// One message less; one that does not count makes no difference.
void take_away(std::string_view name, std::uint64_t file_bytes, wire::MaildirUsage& usage) {
  if (!wire::counts_towards_quota(name)) return;
  const std::uint64_t bytes = wire::size_in_maildir_name(name).value_or(file_bytes);
  --usage.messages;
  // A size beyond all measure was never counted so; the next count of the mailbox corrects it.
  if (__builtin_sub_overflow(usage.bytes, bytes, &usage.bytes)) usage.bytes = 0;
}

}  // namespace

Result<Maildir> Maildir::open(const std::string& path) {
  auto fd = open_file(path, O_RDONLY | O_DIRECTORY);
  if (!fd) return std::unexpected(fd.error());
  return Maildir(std::move(*fd));
}

Status Maildir::for_each_file(const char* folder, const Visit& visit) const {
  Fd fd(::openat(fd_.get(), folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd) return system_failure(std::string("unable to open ") + folder);
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(::fdopendir(fd.get()), ::closedir);
  if (!directory) return system_failure(std::string("unable to read ") + folder);
  const int number = fd.release();  // the directory closes it
  for (;;) {
    errno = 0;
    const dirent* entry = ::readdir(directory.get());
    if (entry == nullptr) break;
    if (entry->d_name[0] != '.') visit(number, entry->d_name);
  }
  if (errno != 0) return system_failure(std::string("unable to read ") + folder);
  return {};
}

// A delivery into tmp/ ends, one way or the other, long before its file is that old.
void Maildir::sweep(std::int64_t now) const {
  (void)for_each_file("tmp", [now](int folder, const char* name) {
    struct stat status{};
    if (::fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) != 0) return;
    const std::int64_t used = std::max(status.st_atime, status.st_mtime);
    if (S_ISREG(status.st_mode) && now > used + wire::debris_age) ::unlinkat(folder, name, 0);
  });
}

Status Maildir::add_folder(Mailbox& mailbox, Folder folder, std::int64_t now) const {
  return for_each_file(path_of(folder), [&](int directory, const char* name) {
    struct stat status{};
    if (::fstatat(directory, name, &status, 0) != 0 || !S_ISREG(status.st_mode)) return;
    if (status.st_mtime >= now) return;
    mailbox.add(folder, name, static_cast<std::uint64_t>(status.st_size),
                nanoseconds(status.st_mtim));
  });
}

// new/ comes first: what moves from there to cur/ meanwhile is then seen at least once.
Result<Mailbox> Maildir::scan(std::int64_t now) const {
  Mailbox mailbox;
  for (const Folder folder : {Folder::fresh, Folder::seen}) {
    if (auto added = add_folder(mailbox, folder, now); !added) {
      return std::unexpected(added.error());
    }
  }
  mailbox.sort();
  return mailbox;
}

Result<Fd> Maildir::open_message(const Mailbox& mailbox, std::size_t index) const {
  const std::string file = file_of(mailbox, index);
  Fd fd(::openat(fd_.get(), file.c_str(), O_RDONLY | O_CLOEXEC));
  if (fd) return fd;
  if (errno != ENOENT) return system_failure("unable to open " + file);
  const std::string_view unique = unique_part(mailbox.name(index));
  (void)for_each_file("cur", [&](int folder, const char* name) {
    if (unique_part(name) != unique) return;
    fd.reset(::openat(folder, name, O_RDONLY | O_CLOEXEC));
  });
  if (!fd) return failure("unable to open " + file, ENOENT);
  return fd;
}

// Never over a message that is there. Where renaming cannot promise that (NFS), linking can. When
// it fails the message stays where it is, and the next session finds it. Nothing is synced: a power
// failure undoes the move as a whole, on a file system with a journal.
void Maildir::move_file(const std::string& from, const std::string& to) const {
  if (from == to) return;
  if (::renameat2(fd_.get(), from.c_str(), fd_.get(), to.c_str(), RENAME_NOREPLACE) == 0) return;
  if (errno != EINVAL && errno != ENOSYS) return;
  if (::linkat(fd_.get(), from.c_str(), fd_.get(), to.c_str(), 0) != 0) return;
  ::unlinkat(fd_.get(), from.c_str(), 0);
}

// A mail reader has given these other flags since the scan, and with them other names.
Status Maildir::remove_moved(const std::set<std::string, std::less<>>& unique_parts,
                             wire::MaildirUsage& usage) const {
  bool removed = true;
  const auto read = for_each_file("cur", [&](int folder, const char* name) {
    if (!unique_parts.contains(unique_part(name))) return;
    struct stat status{};
    const bool known = ::fstatat(folder, name, &status, 0) == 0;
    if (::unlinkat(folder, name, 0) == 0) {
      if (known) take_away(name, static_cast<std::uint64_t>(status.st_size), usage);
    } else if (errno != ENOENT) {
      removed = false;
    }
  });
  if (!read) return read;
  return removed ? Status{} : failure("unable to remove a message");
}

Status Maildir::sync_folder(const char* folder) const {
  const Fd fd(::openat(fd_.get(), folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd) return system_failure(std::string("unable to open ") + folder);
  return sync_file(fd.get(), folder);
}

// One write of one line, as a delivery adds its own. Not synced: a line that is lost, or written to
// a file that is just being replaced, is missed until the mailbox is counted again.
void Maildir::add_to_quota(const wire::MaildirUsage& usage) const {
  // Dovecot marks the mailboxes that it makes as folders, too; but they stand in no Maildir.
  const bool is_folder = ::faccessat(fd_.get(), "maildirfolder", F_OK, 0) == 0 &&
                         ::faccessat(fd_.get(), "../cur", F_OK, 0) == 0;
  const char* path = is_folder ? "../maildirsize" : "maildirsize";
  const Fd file(
      ::openat(fd_.get(), path, O_WRONLY | O_APPEND | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC));
  struct stat status{};
  if (!file || ::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) return;
  (void)write_all(file.get(), wire::format_maildirsize_line(usage));
}

// Nothing that happens here can lose a message that was not deleted, so only one promise needs a
// sync: the +OK to QUIT says that what was deleted is gone. After a power failure it must not be
// delivered again, and so the folders it was removed from are synced before the answer.
Status Maildir::update(const Mailbox& mailbox, const Marks& marks) const {
  Status status;
  bool removed[2] = {false, false};
  wire::MaildirUsage usage;
  std::set<std::string, std::less<>> moved;
  for (std::size_t i = 0; i < mailbox.size(); ++i) {
    const std::string file = file_of(mailbox, i);
    if (!marks.deleted[i]) {
      const bool stays = mailbox.folder(i) == Folder::seen && !marks.read[i];
      if (!stays) move_file(file, file_afterwards(mailbox.name(i), marks.read[i]));
    } else if (::unlinkat(fd_.get(), file.c_str(), 0) == 0) {
      removed[static_cast<std::size_t>(mailbox.folder(i))] = true;
      take_away(mailbox.name(i), mailbox.bytes(i), usage);
    } else if (errno == ENOENT) {
      moved.emplace(unique_part(mailbox.name(i)));
    } else {
      status = system_failure("unable to remove " + file);
    }
  }
  if (!moved.empty()) {
    if (auto gone = remove_moved(moved, usage); !gone) status = gone;
    removed[static_cast<std::size_t>(Folder::seen)] = true;
  }
  for (const Folder folder : {Folder::fresh, Folder::seen}) {
    if (!removed[static_cast<std::size_t>(folder)]) continue;
    if (auto synced = sync_folder(path_of(folder)); !synced) status = synced;
  }
  if (usage.messages != 0) add_to_quota(usage);
  return status;
}

}  // namespace postern::pop3

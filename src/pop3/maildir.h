// A Maildir on the disk: reading what is in it, and carrying out what a session has decided.
// Described in docs/wire/maildir.md.
#pragma once

#include <functional>
#include <set>
#include <string>

#include "base/error.h"
#include "pop3/mailbox.h"
#include "posix/fd.h"
#include "wire/maildirsize.h"

namespace postern::pop3 {

class Maildir {
 public:
  static Result<Maildir> open(const std::string& path);

  /// Removes what crashed deliveries have left in tmp/. `now` in seconds since 1970.
  void sweep(std::int64_t now) const;
  /// Regular files in new/ and cur/ whose names do not begin with a dot. A file modified in this
  /// very second or later is left out, as qmail does: the next session has it.
  Result<Mailbox> scan(std::int64_t now) const;
  /// A message, also when a mail reader has moved it in the meantime.
  Result<Fd> open_message(const Mailbox& mailbox, std::size_t index) const;
  /// Removes what is deleted, durably, moves the rest of new/ to cur/, and flags what has been
  /// read. A quota of the mailbox is told what has gone. Error: not everything that should be gone
  /// is.
  Status update(const Mailbox& mailbox, const Marks& marks) const;

 private:
  using Visit = std::function<void(int folder, const char* name)>;
  explicit Maildir(Fd fd) : fd_(std::move(fd)) {}
  Status for_each_file(const char* folder, const Visit& visit) const;
  Status add_folder(Mailbox& mailbox, Folder folder, std::int64_t now) const;
  void move_file(const std::string& from, const std::string& to) const;
  Status remove_moved(const std::set<std::string, std::less<>>& unique_parts,
                      wire::MaildirUsage& usage) const;
  void add_to_quota(const wire::MaildirUsage& usage) const;
  Status sync_folder(const char* folder) const;

  Fd fd_;
};

}  // namespace postern::pop3

#include "local/quota.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <memory>

#include "posix/environment.h"
#include "posix/files.h"
#include "posix/io.h"
#include "wire/maildirsize.h"

namespace postern::local {
namespace {

using wire::MaildirUsage;

constexpr std::int64_t seconds_between_warnings = 86400;

// Calls `visit` with each name in the directory. False: it cannot be read to its end.
template <class Visit>
bool for_each_name(const std::string& path, Visit visit) {
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(::opendir(path.c_str()), ::closedir);
  if (!stream) return false;
  for (;;) {
    errno = 0;
    const dirent* entry = ::readdir(stream.get());
    if (entry == nullptr) return errno == 0;
    visit(std::string(entry->d_name));
  }
}

bool count_messages(const std::string& path, MaildirUsage& usage) {
  return for_each_name(path, [&](const std::string& name) {
    if (name.starts_with('.') || !wire::counts_towards_quota(name)) return;
    auto bytes = wire::size_in_maildir_name(name);
    if (!bytes) {
      const auto info = stat_file(path + "/" + name);
      if (!info || !S_ISREG(info->st_mode)) return;
      bytes = static_cast<std::uint64_t>(info->st_size);
    }
    ++usage.messages;
    if (__builtin_add_overflow(usage.bytes, *bytes, &usage.bytes)) usage.bytes = INT64_MAX;
  });
}

bool count_folder(const std::string& path, MaildirUsage& usage) {
  return count_messages(path + "/new", usage) && count_messages(path + "/cur", usage);
}

// The mailbox and its folders, but for what has been thrown away. Nothing: it cannot be read.
std::optional<MaildirUsage> count_mailbox(const std::string& top) {
  MaildirUsage usage;
  if (!count_folder(top, usage)) return std::nullopt;
  const bool listed = for_each_name(top, [&](const std::string& name) {
    if (!name.starts_with('.') || name == "." || name == ".." || name == ".Trash") return;
    // What begins with a dot and has no messages is no folder.
    count_folder(top + "/" + name, usage);
  });
  return listed ? std::optional(usage) : std::nullopt;
}

// The quota of one mailbox, at the time of one delivery.
class Quota {
 public:
  Quota(const std::string& directory, MaildirNames& names)
      : top_(top_of(directory)), names_(names) {
    read();
  }
  // Whether there is room, after counting if that could tell something else than the file does.
  bool has_room_for(const MaildirUsage& message);
  void add(const MaildirUsage& message);
  void warn_if_nearly_full();

 private:
  static std::string top_of(const std::string& directory);
  [[nodiscard]] std::string path() const { return top_ + "/maildirsize"; }
  void read();
  void count();
  void write(const MaildirUsage& usage);
  [[nodiscard]] bool is_nearly_full() const;

  std::string top_;  // of the mailbox that the directory is a folder of, or is itself
  MaildirNames& names_;
  std::optional<wire::MaildirSize> size_;  // nothing: there is no quota
  bool is_fresh_ = false;                  // counting again would be a waste
};

// A folder is marked as such and stands in a Maildir. Dovecot marks mailboxes that it makes, too.
std::string Quota::top_of(const std::string& directory) {
  const bool is_folder = stat_file(directory + "maildirfolder") && stat_file(directory + "../cur");
  return directory + (is_folder ? ".." : ".");
}

void Quota::read() {
  const auto file = open_file(path(), O_RDONLY | O_NONBLOCK | O_NOFOLLOW);
  if (!file) return;
  const auto info = stat_open_file(file->get());
  if (!info || !S_ISREG(info->st_mode)) return;
  std::string text(wire::most_maildirsize_bytes + 1, '\0');
  const auto count_read = read_full(file->get(), text);
  if (!count_read) return;
  text.resize(*count_read);
  size_ = wire::parse_maildirsize(text);
  if (!size_) return;
  const bool is_too_long = text.size() > wire::most_maildirsize_bytes;
  if (!size_->sound || size_->lines == 0 || is_too_long) {
    count();
  } else {
    const std::int64_t age = names_.now() - info->st_mtim.tv_sec;
    is_fresh_ = size_->lines == 1 && age >= 0 && age <= wire::longest_maildirsize_age;
  }
}

void Quota::count() {
  const auto usage = count_mailbox(top_);
  if (!usage) {
    size_.reset();
    return;
  }
  size_->usage = *usage;
  is_fresh_ = true;
  write(*usage);
}

// Replaced at once, so that nobody reads half of it; synced, so that a power failure leaves the old
// file or the new one, and not a mailbox without its quota. If it fails the old file stays, and
// will be counted again.
void Quota::write(const MaildirUsage& usage) {
  const std::string temporary = top_ + "/tmp/" + names_.next();
  const auto file = create_new_file(temporary, 0600);
  if (!file) return;
  const std::string text =
      wire::format_maildir_quota(size_->quota) + "\n" + wire::format_maildirsize_line(usage);
  if (!write_all(file->get(), text) || !sync_file(file->get(), temporary) ||
      !rename_file(temporary, path())) {
    (void)remove_file(temporary);
  }
}

bool Quota::has_room_for(const MaildirUsage& message) {
  if (!size_ || wire::fits_maildir_quota(size_->quota, size_->usage, message)) return true;
  if (is_fresh_) return false;
  count();
  return !size_ || wire::fits_maildir_quota(size_->quota, size_->usage, message);
}

// One write of one line: lines of two deliveries do not mix. Lost, or written to a file that has
// just been replaced, it is missed until the mailbox is counted again.
void Quota::add(const MaildirUsage& message) {
  if (!size_) return;
  const auto file = open_file(path(), O_WRONLY | O_APPEND | O_NONBLOCK | O_NOFOLLOW);
  // Root has made it, with somebody else's maildirmake: a new one takes its place.
  if (!file && file.error().code == EACCES) return count();
  if (file) (void)write_all(file->get(), wire::format_maildirsize_line(message));
  size_->usage.bytes += message.bytes;
  size_->usage.messages += message.messages;
}

bool Quota::is_nearly_full() const {
  const auto is_over = [](std::optional<std::uint64_t> limit, std::int64_t used) {
    return limit && used > 0 && static_cast<std::uint64_t>(used) >= *limit - *limit / 10;
  };
  return size_ && (is_over(size_->quota.bytes, size_->usage.bytes) ||
                   is_over(size_->quota.messages, size_->usage.messages));
}

// The file quotawarn in the mailbox is as old as the last warning, as others have it. It comes
// first: a user whose warning is lost hears of it a day later, and nobody gets one with every mail.
void Quota::warn_if_nearly_full() {
  const auto source = environment_variable("QMAILQUOTAWARN");
  if (!source || !is_nearly_full()) return;
  const std::string mark = top_ + "/quotawarn";
  const auto last = stat_file(mark);
  if (last && names_.now() - last->st_mtim.tv_sec < seconds_between_warnings) return;
  const auto text = open_file(*source, O_RDONLY | O_NONBLOCK);
  const auto message = text ? Message::open(text->get()) : std::unexpected(text.error());
  if (!message) return;
  const auto marked = open_file(mark, O_WRONLY | O_CREAT | O_NONBLOCK | O_NOFOLLOW, 0600);
  const timespec times[2] = {{names_.now(), 0}, {names_.now(), 0}};
  if (!marked || ::futimens(marked->get(), times) != 0) return;
  if (!deliver_to_maildir(top_ + "/", "", *message, names_)) return;
  const auto info = stat_open_file(text->get());
  if (info) add({.bytes = info->st_size, .messages = 1});
}

std::unexpected<Failure> full() {
  if (environment_variable("QMAILQUOTA") == "defer") return defer("This mailbox is full. (#4.2.2)");
  return bounce("Sorry, this mailbox is full. (#5.2.2)");
}

}  // namespace

Outcome deliver_within_quota(const std::string& directory, std::string_view head,
                             const Message& message, MaildirNames& names) {
  const auto info = stat_open_file(message.fd());
  if (!info) return defer(std::string(unreadable_message));
  const MaildirUsage more{.bytes = static_cast<std::int64_t>(head.size()) + info->st_size,
                          .messages = 1};
  Quota quota(directory, names);
  if (!quota.has_room_for(more)) return full();
  if (auto delivered = deliver_to_maildir(directory, head, message, names); !delivered) {
    return delivered;
  }
  quota.add(more);
  quota.warn_if_nearly_full();
  return {};
}

}  // namespace postern::local

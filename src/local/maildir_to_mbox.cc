#include "local/maildir_to_mbox.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <memory>
#include <tuple>
#include <vector>

#include "local/mbox.h"
#include "local/message.h"
#include "local/recipient.h"
#include "posix/environment.h"
#include "posix/files.h"
#include "posix/io.h"

namespace postern::local {
namespace {

constexpr std::string_view return_path = "Return-Path: <";

struct Stored {
  std::int64_t seconds = 0;
  std::int64_t nanoseconds = 0;
  std::string path;

  auto operator<=>(const Stored&) const = default;
};

Result<std::vector<Stored>> messages_in(const std::string& maildir) {
  std::vector<Stored> messages;
  for (const char* part : {"/new", "/cur"}) {
    const std::string directory = maildir + part;
    const std::unique_ptr<DIR, int (*)(DIR*)> stream(::opendir(directory.c_str()), ::closedir);
    if (!stream) return system_failure("unable to list " + directory);
    while (const dirent* entry = ::readdir(stream.get())) {
      if (entry->d_name[0] == '.') continue;
      const std::string path = directory + "/" + entry->d_name;
      const auto info = stat_file(path);
      if (!info && info.error().code == ENOENT) continue;  // a mail reader has moved it
      if (!info) return std::unexpected(info.error());
      if (!S_ISREG(info->st_mode)) continue;
      messages.push_back({info->st_mtim.tv_sec, info->st_mtim.tv_nsec, path});
    }
  }
  std::ranges::sort(messages);
  return messages;
}

// Who the message came from, as the delivery wrote it into the first line; nobody, without that.
std::string sender_of(const Message& message) {
  Message::Reader reader(message);
  const auto start = reader.next();
  if (!start || !start->starts_with(return_path)) return {};
  const std::string_view line = start->substr(0, start->find('\n'));
  if (!line.ends_with('>')) return {};
  return std::string(line.substr(return_path.size(), line.size() - return_path.size() - 1));
}

Outcome move_message(const Stored& stored, const std::string& mbox) {
  const auto fd = open_file(stored.path, O_RDONLY | O_NOFOLLOW);
  if (!fd && fd.error().code == ENOENT) return {};
  if (!fd) return defer(describe(fd.error()));
  const auto message = Message::open(fd->get());
  if (!message) return defer(describe(message.error()));
  const std::string from = format_from_line(sender_of(*message), stored.seconds);
  if (auto appended = deliver_to_mbox(mbox, from, *message); !appended) return appended;
  // Synced by deliver_to_mbox(): only now may the other copy go.
  const auto removed = remove_file(stored.path);
  if (!removed) return defer(describe(removed.error()));
  return {};
}

}  // namespace

Outcome move_maildir_to_mbox(const std::string& maildir, const std::string& mbox) {
  const auto messages = messages_in(maildir);
  if (!messages) return defer(describe(messages.error()));
  for (const auto& message : *messages) {
    if (auto moved = move_message(message, mbox); !moved) return moved;
  }
  return {};
}

int run_maildir2mbox() {
  ::umask(077);
  const auto maildir = environment_variable("MAILDIR");
  if (!maildir) die(exit_code::permanent, "$MAILDIR is not set: it names the Maildir");
  const auto mbox = environment_variable("MAIL");
  if (!mbox) die(exit_code::permanent, "$MAIL is not set: it names the mbox file");
  const auto moved = move_maildir_to_mbox(*maildir, *mbox);
  if (!moved) die(moved.error().code, moved.error().text);
  return exit_code::ok;
}

}  // namespace postern::local

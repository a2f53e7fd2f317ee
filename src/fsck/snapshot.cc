#include "fsck/snapshot.h"

#include <dirent.h>
#include <sys/stat.h>

#include <algorithm>
#include <memory>

#include "posix/files.h"
#include "wire/envelope.h"

namespace postern::fsck {
namespace {

constexpr std::size_t most_envelope_bytes = std::size_t{256} << 20;

Result<std::vector<std::string>> names_in(const std::string& directory) {
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(::opendir(directory.c_str()), ::closedir);
  std::vector<std::string> names;
  if (!stream && errno == ENOENT) return names;
  if (!stream) return system_failure("unable to list " + directory);
  for (;;) {
    errno = 0;
    const dirent* entry = ::readdir(stream.get());
    if (entry == nullptr && errno != 0) return system_failure("unable to list " + directory);
    if (entry == nullptr) return names;
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
}

// Nothing: it has gone. A symbolic link is itself, not what it leads to.
Result<std::optional<struct stat>> look_at(const std::string& path) {
  struct stat info{};
  if (::lstat(path.c_str(), &info) == 0) return info;
  if (errno == ENOENT) return std::nullopt;
  return system_failure("unable to stat " + path);
}

bool has_envelope(Kind kind) {
  return kind != Kind::mess && kind != Kind::intd && kind != Kind::bounce;
}

std::string fault_of(Kind kind, const std::string& path) {
  if (!has_envelope(kind)) return {};
  const auto contents = read_file(path, most_envelope_bytes);
  if (!contents) return describe(contents.error());
  return fault_in(kind, *contents);
}

std::string_view directory_of(std::string_view path) {
  path.remove_suffix(path.size() - path.rfind('/'));
  return path.substr(path.rfind('/') + 1);
}

class Reader {
 public:
  Result<Snapshot> read();

 private:
  Status read_kind(Kind kind);
  Status read_part(Kind kind, const std::string& directory);
  Status read_gathering();
  Status add(Kind kind, MessageId number, const std::string& path, const struct stat& info);
  void settle();
  static void choose(Message& message, std::vector<QueueFile>& files);
  Status drop_vanished();

  Snapshot snapshot_;
  std::map<MessageId, std::vector<QueueFile>> found_;
};

// The text goes last: qmail-queue, which may be at work, makes it before the others, so whatever
// has been seen of a message has its text by then.
Result<Snapshot> Reader::read() {
  for (const auto& facts : kinds) {
    if (facts.kind == Kind::mess) continue;
    if (auto done = read_kind(facts.kind); !done) return std::unexpected(done.error());
  }
  if (auto done = read_gathering(); !done) return std::unexpected(done.error());
  if (auto done = read_kind(Kind::mess); !done) return std::unexpected(done.error());
  settle();
  if (auto done = drop_vanished(); !done) return std::unexpected(done.error());
  return std::move(snapshot_);
}

Status Reader::read_kind(Kind kind) {
  const std::string directory(facts_of(kind).name);
  const auto top = look_at(directory);
  if (!top) return std::unexpected(top.error());
  if (!*top || !S_ISDIR((**top).st_mode)) return {};
  const auto names = names_in(directory);
  if (!names) return std::unexpected(names.error());
  for (const auto& name : *names) {
    std::string path = directory;
    path.append("/").append(name);
    const auto number = wire::parse_message_id(name);
    const auto info = look_at(path);
    if (!info) return std::unexpected(info.error());
    if (!*info) continue;
    Status done;
    if (number && S_ISREG((**info).st_mode)) {
      done = add(kind, *number, path, **info);
    } else if (number && S_ISDIR((**info).st_mode)) {
      snapshot_.parts[static_cast<std::size_t>(kind)].push_back(*number);
      done = read_part(kind, path);
    } else {
      snapshot_.strays.push_back(path);
    }
    if (!done) return done;
  }
  return {};
}

Status Reader::read_part(Kind kind, const std::string& directory) {
  const auto names = names_in(directory);
  if (!names) return std::unexpected(names.error());
  for (const auto& name : *names) {
    std::string path = directory;
    path.append("/").append(name);
    const auto number = wire::parse_message_id(name);
    const auto info = look_at(path);
    if (!info) return std::unexpected(info.error());
    if (!*info) continue;
    if (!number || !S_ISREG((**info).st_mode)) {
      snapshot_.strays.push_back(path);
    } else if (auto done = add(kind, *number, path, **info); !done) {
      return done;
    }
  }
  return {};
}

// Where an earlier repair has got to: the files there still belong to their old numbers.
Status Reader::read_gathering() {
  const auto names = names_in(gathering);
  if (!names) return std::unexpected(names.error());
  for (const auto& name : *names) {
    const std::string path = std::string(gathering) + "/" + name;
    const auto passage = parse_passage(name);
    const auto info = look_at(path);
    if (!info) return std::unexpected(info.error());
    if (!passage || !*info) return failure(path + " is not the repair's own: move it away");
    if (auto done = add(passage->kind, passage->from, path, **info); !done) return done;
  }
  return {};
}

Status Reader::add(Kind kind, MessageId number, const std::string& path, const struct stat& info) {
  found_[number].push_back({.kind = kind,
                            .path = path,
                            .number = number,
                            .inode = info.st_ino,
                            .mode = info.st_mode & 07777,
                            .uid = info.st_uid,
                            .links = info.st_nlink,
                            .read_at = info.st_atime,
                            .fault = fault_of(kind, path)});
  return {};
}

void Reader::settle() {
  for (auto& [number, files] : found_) choose(snapshot_.messages[number], files);
}

// Of several files of one kind, the text is the one whose inode number is the name; what stands in
// a directory of the same number as the text's belongs to it.
void Reader::choose(Message& message, std::vector<QueueFile>& files) {
  std::ranges::stable_sort(files, {}, [](const QueueFile& file) {
    return std::pair(file.kind, file.inode != file.number);
  });
  std::string part;
  if (!files.empty() && files.front().kind == Kind::mess) part = directory_of(files.front().path);
  std::ranges::stable_sort(files, {}, [&](const QueueFile& file) {
    return std::pair(file.kind, file.kind != Kind::mess && directory_of(file.path) != part);
  });
  for (auto& file : files) {
    auto& place = message.files[static_cast<std::size_t>(file.kind)];
    if (place) {
      message.doubles.push_back(std::move(file));
    } else {
      place = std::move(file);
    }
  }
}

// A qmail-queue that gives up takes the text away last, so that what was seen of its message looks
// as if it had none.
Status Reader::drop_vanished() {
  for (auto message = snapshot_.messages.begin(); message != snapshot_.messages.end();) {
    bool is_empty = true;
    for (auto& file : message->second.files) {
      if (file && !message->second.has(Kind::mess)) {
        const auto info = look_at(file->path);
        if (!info) return std::unexpected(info.error());
        if (!*info) file.reset();
      }
      is_empty = is_empty && !file;
    }
    message = is_empty ? snapshot_.messages.erase(message) : std::next(message);
  }
  return {};
}

std::string fault_in_recipients(std::string_view contents) {
  std::uint64_t offset = 0;
  for (;;) {
    const auto record = wire::take_recipient(contents, offset);
    if (!record) return record.error().what;
    if (!*record) return {};
  }
}

}  // namespace

std::string fault_in(Kind kind, std::string_view contents) {
  switch (kind) {
    case Kind::todo: {
      const auto todo = wire::parse_todo(contents);
      return todo ? "" : todo.error().what;
    }
    case Kind::info: {
      const auto sender = wire::parse_info(contents);
      return sender ? "" : sender.error().what;
    }
    case Kind::local:
    case Kind::remote:
      return fault_in_recipients(contents);
    case Kind::mess:
    case Kind::intd:
    case Kind::bounce:
      return {};
  }
  bug("unknown kind of queue file");
}

Result<Snapshot> take_snapshot() { return Reader().read(); }

}  // namespace postern::fsck

#include "send/preprocessor.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "posix/files.h"
#include "posix/io.h"
#include "wire/envelope.h"

namespace postern::send {
namespace {

constexpr std::size_t piece_bytes = 16384;
// A turn's share: so many entries of todo, or so many bytes of them, or so many names. Most names
// that a scan sees under load are of messages in their first try, and cost next to nothing.
constexpr int most_entries_per_turn = 32;
constexpr int most_names_per_turn = 1024;
constexpr std::size_t most_bytes_per_turn = 16 * piece_bytes;
// Messages on their way at the same time; each holds three descriptors until it is durable.
constexpr std::size_t most_under_way = 256;
constexpr std::size_t most_written = 64;
constexpr std::int64_t missing_text_pause = 3600;  // seconds

}  // namespace

// The descriptors of a batch, what each is called, and which of them each message needs.
struct Preprocessor::Batch {
  std::vector<Fd> fds;
  std::vector<std::string> names;
  struct Member {
    Preprocessed message;
    std::vector<std::size_t> needs;
  };
  std::vector<Member> members;

  std::size_t add(Fd fd, const std::string& name) {
    fds.push_back(std::move(fd));
    names.push_back(name);
    return names.size() - 1;
  }
  // A directory that several messages share is synced once.
  std::optional<std::size_t> add_directory(const std::string& path) {
    const auto known = std::ranges::find(names, path);
    if (known != names.end()) return static_cast<std::size_t>(known - names.begin());
    auto fd = open_file(path, O_RDONLY | O_DIRECTORY);
    if (!fd) return std::nullopt;
    return add(std::move(*fd), path);
  }
};

bool Preprocessor::has_work() const {
  if (current_) return true;
  return scan_.scanning() && has_room();
}

// First tries hold nothing open here, and may last.
bool Preprocessor::has_room() const {
  return written_.size() < most_written && under_way_.size() - first_tries_.size() < most_under_way;
}

void Preprocessor::work(std::int64_t now) {
  int entries = 0;
  std::size_t bytes = 0;
  for (int names = 0; entries < most_entries_per_turn && bytes < most_bytes_per_turn &&
                      names < most_names_per_turn;) {
    if (current_) {
      bytes += read_piece(now);
      continue;
    }
    if (!has_room()) break;
    const auto id = scan_.next(now);
    if (!id) break;
    ++names;
    if (under_way_.contains(*id)) continue;
    ++entries;
    begin(*id, now);
  }
}

void Preprocessor::begin(wire::MessageId id, std::int64_t now) {
  auto todo = open_queue_file(wire::todo_path(id));
  if (!todo && todo.error().code == ENOENT) return;  // a stale name
  if (!todo) {
    log_.warning({"unable to open ", wire::todo_path(id)});
    scan_.postpone(id, now);
    return;
  }
  const auto mess = stat_file(wire::mess_path(id));
  if (!mess) {
    log_.warning({"unable to stat ", wire::mess_path(id)});
    if (mess.error().code == ENOENT) return pass_over(id, now);
    scan_.postpone(id, now);
    return;
  }
  current_.emplace();
  current_->todo = std::move(*todo);
  current_->entry = entry_of({id, mess->st_size, {}, 0, 0});
  under_way_.insert(id);
  if (!clear_leftovers(current_->entry)) give_up(now);
}

Preprocessor::Entry Preprocessor::entry_of(const NewMessage& message) {
  const wire::MessageId id = message.id;
  Entry entry;
  entry.message = message;
  entry.info = {wire::info_path(id), wire::split_directory("info", id), {}, {}};
  entry.local = {wire::local_path(id), wire::split_directory("local", id), {}, {}};
  entry.remote = {wire::remote_path(id), wire::split_directory("remote", id), {}, {}};
  return entry;
}

// An envelope whose text is gone cannot be delivered, and nothing but a restored text will mend
// that. It must not be removed either: between our look at mess/N and qmail-clean's hand on todo/N
// a new message may have been given the number, and have been accepted (docs/QUEUE.md, "Debris").
void Preprocessor::pass_over(wire::MessageId id, std::int64_t now) {
  log_.warning({"the text of ", wire::todo_path(id),
                " is gone; nothing is delivered, will look again in an hour"});
  scan_.postpone(id, now, missing_text_pause);
}

// While todo/N exists, nobody has been delivered to on the strength of info, local, remote and
// bounce: whatever stands there was left by a crash, or by a message that had this number before.
// A name that is removed must be gone durably, since a recipient may now belong to the other
// channel, and would be in both files after a power cut.
bool Preprocessor::clear_leftovers(Entry& entry) {
  return unlink_leftover(entry, entry.local.path, entry.local.directory) &&
         unlink_leftover(entry, entry.remote.path, entry.remote.directory) &&
         unlink_leftover(entry, entry.info.path, entry.info.directory) &&
         unlink_leftover(entry, wire::bounce_path(entry.message.id), "bounce");
}

bool Preprocessor::unlink_leftover(Entry& entry, const std::string& path,
                                   const std::string& directory) {
  if (::unlink(path.c_str()) == 0) {
    entry.changed_directories.push_back(directory);
    return true;
  }
  if (errno == ENOENT) return true;
  log_.warning({"unable to unlink ", path});
  return false;
}

// Returns the number of bytes read. When the file has been read whole, or something has gone
// wrong, there is no current entry any more.
std::size_t Preprocessor::read_piece(std::int64_t now) {
  Entry& entry = current_->entry;
  const std::string path = wire::todo_path(entry.message.id);
  char piece[piece_bytes];
  const auto count = read_full(current_->todo.get(), piece);
  if (!count) {
    log_.warning({"trouble reading ", path});
    give_up(now);
    return 0;
  }
  TodoParser& parser = current_->parser;
  bool good = parser.feed({piece, *count},
                          [&](std::string_view recipient) { add_recipient(entry, recipient); });
  const bool at_end = *count < sizeof piece;
  good = good && (!at_end || parser.finish());
  if (!good) {
    const bool cut_short = parser.problem() == TodoParser::Problem::cut_short;
    log_.warning({cut_short ? "trouble reading " : "unknown record type in ", path});
    give_up(now);
  } else if (!at_end) {
    if (!write_out(entry, entry.local) || !write_out(entry, entry.remote)) give_up(now);
  } else {
    entry.message.sender = parser.sender();
    entry.message.pid = parser.pid();
    entry.message.uid = parser.uid();
    if (is_taken_for_a_first_try(now)) {
      current_.reset();
    } else if (write_all_out(entry)) {
      written_.push_back(std::move(entry));
      current_.reset();
    } else {
      give_up(now);
    }
  }
  return *count;
}

void Preprocessor::add_recipient(Entry& entry, std::string_view recipient) {
  const Route way = route(recipient, rules_);
  Output& output = way.channel == Channel::local ? entry.local : entry.remote;
  output.buffer += wire::format_recipient(way.address);
  entry.last_address = way.address;
}

// Where something was left under the same number the removal of that must be made durable, and the
// message takes the way on which that happens.
bool Preprocessor::is_taken_for_a_first_try(std::int64_t now) {
  const Entry& entry = current_->entry;
  const bool has_files = entry.local.fd || entry.remote.fd;
  const bool had_leftovers = !entry.changed_directories.empty();
  if (current_->parser.recipients() != 1 || has_files || had_leftovers) return false;
  const Channel channel = entry.remote.buffer.empty() ? Channel::local : Channel::remote;
  Alone alone{entry.message, channel, entry.last_address};
  if (!offer_first_try_(alone, now)) return false;
  first_tries_.emplace(entry.message.id, FirstTry{std::move(alone)});
  return true;
}

// begin() has found nothing under these names. After a settle() that failed nothing tells whether
// what stands there is whole: it is made afresh.
void Preprocessor::settle(wire::MessageId id) {
  auto& [alone, may_have_files] = first_tries_.at(id);
  const bool had_files = std::exchange(may_have_files, true);
  Entry entry = entry_of(alone.message);
  (alone.channel == Channel::local ? entry.local : entry.remote).buffer =
      wire::format_recipient(alone.address);
  if ((!had_files || clear_leftovers(entry)) && write_all_out(entry)) {
    written_.push_back(std::move(entry));
  } else {
    settled_.push_back({id, alone.channel, false});
  }
}

bool Preprocessor::delivered(wire::MessageId id) {
  return first_tries_.extract(id).mapped().may_have_files;
}

void Preprocessor::put_back(wire::MessageId id, std::int64_t now) {
  first_tries_.erase(id);
  under_way_.erase(id);
  scan_.postpone(id, now);
}

// The message stays in todo, where it is safe, and what has been made of it is not trusted: next
// time the files are made afresh.
void Preprocessor::fail(wire::MessageId id, std::int64_t now) {
  const auto first_try = first_tries_.find(id);
  if (first_try != first_tries_.end()) {
    settled_.push_back({id, first_try->second.alone.channel, false});
  } else {
    put_back(id, now);
  }
}

bool Preprocessor::write_all_out(Entry& entry) {
  entry.info.buffer = wire::format_info(entry.message.sender);
  return write_out(entry, entry.local) && write_out(entry, entry.remote) &&
         write_out(entry, entry.info);
}

// Writes what is gathered; the file is made by the first bytes.
bool Preprocessor::write_out(Entry& entry, Output& output) {
  if (output.buffer.empty()) return true;
  if (!output.fd) {
    auto created = create_new_file(output.path, 0600);
    if (!created) {
      log_.warning({"unable to create ", output.path});
      return false;
    }
    output.fd = std::move(*created);
    entry.changed_directories.push_back(output.directory);
  }
  if (!write_all(output.fd.get(), output.buffer)) {
    log_.warning({"trouble writing to ", output.path});
    return false;
  }
  output.buffer.clear();
  return true;
}

// What has been written is cleared away next time.
void Preprocessor::give_up(std::int64_t now) {
  put_back(current_->entry.message.id, now);
  current_.reset();
}

// While one batch is being synced the next gathers, so that a burst of mail shares its syncs and a
// single message does not wait.
void Preprocessor::sync_what_is_written(std::int64_t now) {
  if (syncing_ || written_.empty()) return;
  Batch batch;
  for (Entry& entry : std::exchange(written_, {})) {
    Batch::Member member{
        {std::move(entry.message), entry.local.fd.get() >= 0, entry.remote.fd.get() >= 0}, {}};
    for (Output* output : {&entry.info, &entry.local, &entry.remote}) {
      if (output->fd) member.needs.push_back(batch.add(std::move(output->fd), output->path));
    }
    bool complete = true;
    for (const std::string& directory : entry.changed_directories) {
      const auto index = batch.add_directory(directory);
      if (index) member.needs.push_back(*index);
      complete = complete && index;
    }
    if (complete) {
      batch.members.push_back(std::move(member));
      continue;
    }
    log_.warning(
        {"trouble fsyncing the directories of ", wire::info_path(member.message.message.id)});
    fail(member.message.message.id, now);
  }
  syncing_ = true;
  std::vector<Fd> fds = std::exchange(batch.fds, {});
  if (fds.empty()) return synced(batch, {}, now);
  syncer_.sync(std::move(fds),
               [this, now, batch = std::make_shared<Batch>(std::move(batch))](
                   const Syncer::Results& durable) { synced(*batch, durable, now); });
}

// The message is in state S4 of the queue: todo/N says all that is to be done, and info, local and
// remote, whole or in part, are not looked at by anybody while it exists. Removing todo/N makes
// them the only account of the message (S5), so that order may go to qmail-clean only when their
// data and their names are on the disk. A crash before that finds todo/N and begins again; a crash
// after it finds the files; a crash that brings todo/N back although its removal was answered finds
// both, and delivers again to everybody. qmail-clean removes intd/N first, which has no meaning
// once todo/N exists.
void Preprocessor::synced(const Batch& batch, const Syncer::Results& durable, std::int64_t now) {
  syncing_ = false;
  for (std::size_t i = 0; i < durable.size(); ++i) {
    if (!durable[i]) log_.warning({"trouble fsyncing ", batch.names[i]});
  }
  for (const auto& [message, needs] : batch.members) {
    const wire::MessageId id = message.message.id;
    if (!clean_is_lost_ && std::ranges::all_of(needs, [&](std::size_t i) { return durable[i]; })) {
      cleaning_.emplace(id, message);
      cleaner_.add({wire::CleanOrder::Kind::todo, id});
    } else {
      fail(id, now);
    }
  }
}

void Preprocessor::cleaned(wire::MessageId id, bool done, std::int64_t now) {
  auto found = cleaning_.extract(id);
  if (found.empty()) return;
  if (!done) {
    log_.warning({"qmail-clean unable to clean up ", wire::todo_path(id)});
    return fail(id, now);
  }
  under_way_.erase(id);
  const auto first_try = first_tries_.extract(id);
  if (first_try.empty()) {
    preprocessed_.push_back(std::move(found.mapped()));
  } else {
    settled_.push_back({id, first_try.mapped().alone.channel, true});
  }
}

void Preprocessor::clean_is_lost(std::int64_t now) {
  clean_is_lost_ = true;
  for (const auto& [id, message] : std::exchange(cleaning_, {})) fail(id, now);
}

}  // namespace postern::send

// Turns what qmail-queue has left in todo into what deliveries need: info, local and remote files.
// Several messages at a time, so that they share their syncs, and never for longer than a moment,
// so that deliveries go on meanwhile.
//
// A message to one recipient needs none of these files if its first try delivers it: it is offered
// for that try while todo/N stands (docs/QUEUE.md, "The first try"). settle() makes the files of
// one that was not delivered.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "posix/fd.h"
#include "send/channel.h"
#include "send/cleaner.h"
#include "send/log.h"
#include "send/routing.h"
#include "send/syncer.h"
#include "send/todo_parser.h"
#include "send/todo_scan.h"

namespace postern::send {

class Preprocessor {
 public:
  /// A message that is ours now.
  struct Preprocessed {
    NewMessage message;
    bool has_local = false;
    bool has_remote = false;
  };

  /// A message that can be delivered without any file but its text.
  struct Alone {
    NewMessage message;
    Channel channel = Channel::local;
    std::string address;
  };
  /// True: it is being tried, or will be, which ends in one of settle(), delivered() and
  /// put_back(). False: it gets its files first.
  using OfferFirstTry = std::function<bool(const Alone&, std::int64_t now)>;
  /// What has become of a settle(): `done`, the message is ours now, and not in todo any more; or
  /// something failed, and it is in its first try as before.
  struct Settled {
    wire::MessageId id = 0;
    Channel channel = Channel::local;
    bool done = false;
  };

  Preprocessor(const RoutingRules& rules, Syncer& syncer, Cleaner& cleaner, Log& log,
               OfferFirstTry offer)
      : rules_(rules),
        syncer_(syncer),
        cleaner_(cleaner),
        log_(log),
        offer_first_try_(std::move(offer)),
        scan_(log) {}

  TodoScan& scan() { return scan_; }
  [[nodiscard]] const TodoScan& scan() const { return scan_; }
  /// Does a moment's work. What it has written waits for sync_what_is_written().
  void work(std::int64_t now);
  /// Unless a sync is going on, which the next call then finds ended.
  void sync_what_is_written(std::int64_t now);
  /// work() has more to do at once.
  [[nodiscard]] bool has_work() const;
  /// For one message more. Without it no scan begins or goes on, however long one has been due; the
  /// end of a sync or an answer of qmail-clean's makes room.
  [[nodiscard]] bool has_room() const;
  /// On its way through here: its files are not to be taken for a message's in the queue.
  [[nodiscard]] bool has(wire::MessageId id) const { return under_way_.contains(id); }
  /// qmail-clean's answer to a todo order.
  void cleaned(wire::MessageId id, bool done, std::int64_t now);
  /// qmail-clean has gone, and will answer nothing any more.
  void clean_is_lost(std::int64_t now);
  std::vector<Preprocessed> take_preprocessed() { return std::exchange(preprocessed_, {}); }

  /// Makes the files of a message in its first try durable, and has it taken out of todo.
  void settle(wire::MessageId id);
  std::vector<Settled> take_settled() { return std::exchange(settled_, {}); }
  /// The first try was the last. What is left of the message in todo is somebody else's to remove;
  /// and, if true, files that a settle() has begun.
  bool delivered(wire::MessageId id);
  /// What was delivered() has left todo.
  void forget(wire::MessageId id) { under_way_.erase(id); }
  /// The first try has come to nothing, and the message is taken up again later.
  void put_back(wire::MessageId id, std::int64_t now);

 private:
  // A file being written, in pieces.
  struct Output {
    std::string path;
    std::string directory;
    Fd fd;
    std::string buffer;
  };
  // A message whose files are being written, or are written and not yet durable.
  struct Entry {
    NewMessage message;
    Output info;
    Output local;
    Output remote;
    std::string last_address;
    std::vector<std::string> changed_directories;  // where names have come or gone
  };
  struct FirstTry {
    Alone alone;
    bool may_have_files = false;
  };
  // The entry that is being read.
  struct Current {
    Entry entry;
    Fd todo;
    TodoParser parser;
  };
  struct Batch;

  void begin(wire::MessageId id, std::int64_t now);
  static Entry entry_of(const NewMessage& message);
  void pass_over(wire::MessageId id, std::int64_t now);
  bool clear_leftovers(Entry& entry);
  bool unlink_leftover(Entry& entry, const std::string& path, const std::string& directory);
  std::size_t read_piece(std::int64_t now);
  void add_recipient(Entry& entry, std::string_view recipient);
  bool write_out(Entry& entry, Output& output);
  bool write_all_out(Entry& entry);
  bool is_taken_for_a_first_try(std::int64_t now);
  void give_up(std::int64_t now);
  void fail(wire::MessageId id, std::int64_t now);
  void synced(const Batch& batch, const Syncer::Results& durable, std::int64_t now);

  const RoutingRules& rules_;
  Syncer& syncer_;
  Cleaner& cleaner_;
  Log& log_;
  OfferFirstTry offer_first_try_;
  TodoScan scan_;
  std::unordered_set<wire::MessageId> under_way_;
  std::unordered_map<wire::MessageId, FirstTry> first_tries_;  // all of them are under way
  std::optional<Current> current_;
  std::vector<Entry> written_;
  bool syncing_ = false;
  bool clean_is_lost_ = false;
  std::unordered_map<wire::MessageId, Preprocessed> cleaning_;
  std::vector<Preprocessed> preprocessed_;
  std::vector<Settled> settled_;
};

}  // namespace postern::send

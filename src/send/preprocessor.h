// Turns what qmail-queue has left in todo into what deliveries need: info, local and remote files.
// Several messages at a time, so that they share their syncs, and never for longer than a moment,
// so that deliveries go on meanwhile.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "posix/fd.h"
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

  Preprocessor(const RoutingRules& rules, Syncer& syncer, Cleaner& cleaner, Log& log)
      : rules_(rules), syncer_(syncer), cleaner_(cleaner), log_(log), scan_(log) {}

  TodoScan& scan() { return scan_; }
  [[nodiscard]] const TodoScan& scan() const { return scan_; }
  /// Does a moment's work.
  void work(std::int64_t now);
  /// work() has more to do at once.
  [[nodiscard]] bool has_work() const;
  /// On its way through here: its files are not to be taken for a message's in the queue.
  [[nodiscard]] bool has(wire::MessageId id) const { return under_way_.contains(id); }
  /// qmail-clean's answer to a todo order.
  void cleaned(wire::MessageId id, bool done, std::int64_t now);
  std::vector<Preprocessed> take_preprocessed() { return std::exchange(preprocessed_, {}); }

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
    std::vector<std::string> changed_directories;  // where names have come or gone
  };
  // The entry that is being read.
  struct Current {
    Entry entry;
    Fd todo;
    TodoParser parser;
  };
  struct Batch;

  void begin(wire::MessageId id, std::int64_t now);
  void pass_over(wire::MessageId id, std::int64_t now);
  bool clear_leftovers(Entry& entry);
  bool unlink_leftover(Entry& entry, const std::string& path, const std::string& directory);
  std::size_t read_piece(std::int64_t now);
  void add_recipient(Entry& entry, std::string_view recipient);
  bool write_out(Entry& entry, Output& output);
  bool write_all_out(Entry& entry);
  void give_up(std::int64_t now);
  void sync_what_is_written(std::int64_t now);
  void synced(const Batch& batch, const Syncer::Results& durable, std::int64_t now);

  const RoutingRules& rules_;
  Syncer& syncer_;
  Cleaner& cleaner_;
  Log& log_;
  TodoScan scan_;
  std::unordered_set<wire::MessageId> under_way_;
  std::optional<Current> current_;
  std::vector<Entry> written_;
  bool syncing_ = false;
  std::unordered_map<wire::MessageId, Preprocessed> cleaning_;
  std::vector<Preprocessed> preprocessed_;
};

}  // namespace postern::send

// The messages of one channel in their first try: each to one recipient, and without a file but its
// text and todo (docs/QUEUE.md). A message leaves when it has been delivered, or when it has its
// files and is like any other.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "send/due_queue.h"
#include "wire/delivery_order.h"
#include "wire/queue_names.h"

namespace postern::send {

class FirstTries {
 public:
  struct Message {
    std::string sender;
    std::string address;
    bool running = false;                      // else it waits for its turn
    bool deferred = false;                     // it has run, and its report is logged
    bool settling = false;                     // its files are being made
    bool missed_turn = false;                  // and meanwhile it did not run
    std::optional<wire::DeliveryReport> held;  // what has come before the files were there
  };

  /// Takes a message, at `now` in seconds since 1970. False: too many wait for their turn.
  bool add(wire::MessageId id, std::string sender, std::string address, std::int64_t now);
  /// nullptr: it is not in its first try, or no longer.
  [[nodiscard]] Message* find(wire::MessageId id);
  /// False: it was not there.
  bool remove(wire::MessageId id);

  /// Its turn has come: it waits no longer.
  void begin(Message& message);
  /// Whether one more may wait for its files with its delivery ended.
  [[nodiscard]] bool may_defer() const;
  /// It is one of those, until it is removed.
  void defer(Message& message);
  [[nodiscard]] bool has_deferred() const { return deferred_ > 0; }
  [[nodiscard]] std::vector<wire::MessageId> deferred() const;

  /// It is to have its files, if they are not being made already.
  void ask_to_settle(wire::MessageId id, Message& message);
  /// They could not be made: it asks for them again at `when`.
  void ask_again(wire::MessageId id, std::int64_t when) { long_.add(id, when); }
  /// Those that ask for their files, and those that last so long that people may ask where they
  /// are.
  std::vector<wire::MessageId> take_unsettled(std::int64_t now);
  /// When there may be more of these; nothing: not before ask_to_settle().
  [[nodiscard]] std::optional<std::int64_t> next() const { return long_.next(); }

 private:
  std::unordered_map<wire::MessageId, Message> messages_;
  std::size_t waiting_ = 0;   // of them
  std::size_t deferred_ = 0;  // of them
  std::vector<wire::MessageId> unsettled_;
  DueQueue long_;
};

}  // namespace postern::send

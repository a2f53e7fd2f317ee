// The deliveries of one channel: takes messages from the backlog, reads their recipients in pieces,
// gives them to the spawn while there is room, and marks what the reports say is done.
//
// Of each message at most one pass runs: from its recipients' file being opened to the last report.
// Several messages are read at the same time, in turns, so that a mailing to fifty thousand
// does not hold up a letter to one.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "posix/fd.h"
#include "send/backlog.h"
#include "send/channel.h"
#include "send/first_tries.h"
#include "send/log.h"
#include "send/recipient_reader.h"
#include "wire/delivery_order.h"

namespace postern::send {

/// What both channels share.
struct DeliveryContext {
  std::int64_t lifetime;              // seconds until a message is given up
  std::size_t number_bytes;           // of a delivery number
  DeliveryCounts& counts;             // the limits are set before deliveries begin
  std::uint64_t& deliveries_started;  // the log's delivery numbers go through both channels
  Log& log;
};

class Deliveries {
 public:
  /// A recipient who must be told of in a bounce before he may be marked done.
  struct Failure {
    wire::MessageId id = 0;
    std::uint64_t offset = 0;
    std::string address;
    std::string report;
  };

  Deliveries(Channel channel, DeliveryContext context);

  /// A message to one recipient, which has no file but its text, for its first try. It ends in
  /// take_delivered(), or asks to be settled. False: too many wait for theirs.
  bool offer_first_try(wire::MessageId id, std::string sender, std::string address,
                       std::int64_t now);
  /// First tries that have not delivered, or last so long that people may ask where the message is:
  /// each is answered by settled().
  std::vector<wire::MessageId> take_unsettled(std::int64_t now) {
    return first_tries_.take_unsettled(now);
  }
  /// `done`: the message has its files now, and what its report says is done as with any other.
  /// False is returned where it has not and the try is over: the message is to be put back.
  bool settled(wire::MessageId id, bool done, std::int64_t now);
  /// Some have been deferred, and wait for settled().
  [[nodiscard]] bool has_deferred_first_tries() const { return first_tries_.has_deferred(); }
  /// Messages that their first try has delivered.
  std::vector<wire::MessageId> take_delivered() { return std::exchange(delivered_, {}); }

  void add_fresh(wire::MessageId id) { backlog_.add_fresh(id); }
  void add_retry(wire::MessageId id, std::int64_t when) { backlog_.add_retry(id, when); }
  void make_all_due(std::int64_t now);

  /// Starts what may be started, but no more than one turn of the loop's share. The orders wait in
  /// orders() to be written.
  void start(std::int64_t now);
  /// When start() will have something to do: 0 for at once, nothing: not before a report comes.
  [[nodiscard]] std::optional<std::int64_t> next() const;
  std::string& orders() { return orders_; }

  void handle(const wire::DeliveryReport& report, std::int64_t now);
  /// After the last handle() and settle() of a turn: what they keep open for each other is closed.
  void end_turn() { marked_.reset(); }
  /// Recipients whose failure is to be noted in a bounce; each is answered by settle().
  std::vector<Failure> take_failures() { return std::exchange(failures_, {}); }
  /// `noted`: the bounce is durable. Else the recipient stays, to be tried again.
  void settle(wire::MessageId id, std::uint64_t offset, bool noted, std::int64_t now);

  /// Messages that have nobody left on this channel and no recipients' file.
  std::vector<wire::MessageId> take_finished() { return std::exchange(finished_, {}); }

  /// Writes the times of the next tries into the files' modification times, for the next start.
  void save_times();

 private:
  struct Pass {
    std::string sender;
    std::int64_t retry_at = 0;  // if recipients are left after this pass
    bool is_retry = false;
    bool is_last = false;  // temporary failures of this pass are final
    bool reading = true;
    bool unreadable = false;   // the file must stay, whatever becomes of what was read
    bool removed = false;      // the file is gone already
    unsigned unsettled = 0;    // deliveries without report, failures without settle()
    std::uint64_t undone = 0;  // recipients read and not marked
    Fd file;
    RecipientReader reader;
  };
  // The recipients' file that was marked last. A name is not looked up again for each recipient.
  struct Marked {
    wire::MessageId id;
    Fd file;
  };
  struct Slot {
    bool busy = false;
    wire::MessageId id = 0;
    std::uint64_t offset = 0;
    std::uint64_t delivery = 0;
    std::string address;
  };
  using Reading = std::deque<wire::MessageId>;

  [[nodiscard]] DeliveryCounts::OfChannel& counts() const { return context_.counts.of(channel_); }
  [[nodiscard]] std::string path_of(wire::MessageId id) const {
    return recipients_path(channel_, id);
  }
  [[nodiscard]] bool has_room() const;
  [[nodiscard]] bool retries_have_room() const;
  [[nodiscard]] Backlog::Allowed allowed() const;

  bool begin_a_message(std::int64_t now);
  bool go_on_with_a_message(std::int64_t now);
  bool open_pass(Pass& pass, wire::MessageId id, std::int64_t now);
  void advance(wire::MessageId id, Pass& pass, std::int64_t now);
  Result<std::optional<RecipientReader::Recipient>> next_recipient(wire::MessageId id, Pass& pass);
  void start_delivery(wire::MessageId id, Pass& pass, RecipientReader::Recipient recipient);
  void begin_first_try(wire::MessageId id, FirstTries::Message& first, std::int64_t now);
  [[nodiscard]] bool may_end_before_files(const wire::DeliveryReport& report,
                                          const Pass& pass) const;
  void end_before_files(const wire::DeliveryReport& report, FirstTries::Message& first, Pass& pass);
  bool end_deferred(wire::MessageId id, bool done, std::int64_t now);
  void give_up(wire::MessageId id, const wire::DeliveryReport& held);
  void handle_failure(const Slot& slot, std::string text);
  void handle_success(const Slot& slot, Pass& pass);
  void mark_done(wire::MessageId id, std::uint64_t offset);
  void release(unsigned number);
  void settle_one(wire::MessageId id, Pass& pass, std::int64_t now);
  void end_if_over(wire::MessageId id, std::int64_t now);

  Channel channel_;
  DeliveryContext context_;
  Backlog backlog_;
  std::unordered_map<wire::MessageId, Pass> passes_;
  FirstTries first_tries_;
  Reading reading_fresh_;
  Reading reading_retries_;
  bool begin_next_ = false;          // take turns between beginning and going on
  bool go_on_with_retries_ = false;  // and between the kinds
  unsigned retries_running_ = 0;
  std::vector<Slot> slots_;
  std::vector<unsigned> free_;  // numbers of free slots
  std::optional<Marked> marked_;
  std::string orders_;
  std::vector<Failure> failures_;
  std::vector<wire::MessageId> finished_;
  std::vector<wire::MessageId> delivered_;
};

}  // namespace postern::send

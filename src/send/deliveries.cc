#include "send/deliveries.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "mail/address.h"
#include "posix/files.h"
#include "posix/io.h"
#include "send/queue_file.h"
#include "send/retry.h"
#include "wire/envelope.h"
#include "wire/time_limits.h"

namespace postern::send {
namespace {

// Orders given in one turn of the loop, so that reports and new mail are looked at in between.
constexpr int most_steps_per_turn = 64;
// Messages of one kind read at the same time: each has its file open.
constexpr std::size_t most_reading = 32;
constexpr std::size_t piece_bytes = 8192;
// An info file holds one address.
constexpr std::size_t most_info_bytes = RecipientReader::most_record_bytes;

constexpr std::string_view given_up =
    "I'm not going to try again; this message has been in the queue too long.\n";

struct Info {
  std::string sender;
  std::int64_t birth = 0;
};

// Read afresh for every pass: administrators touch info files to make mail older or younger.
Result<Info> read_info(wire::MessageId id) {
  const auto fd = open_queue_file(wire::info_path(id));
  if (!fd) return std::unexpected(fd.error());
  const auto info = stat_open_file(fd->get());
  if (!info) return std::unexpected(info.error());
  const auto bytes = read_to_end(fd->get(), most_info_bytes);
  if (!bytes) return std::unexpected(bytes.error());
  auto sender = wire::parse_info(*bytes);
  if (!sender) return std::unexpected(sender.error());
  return Info{std::move(*sender), info->st_mtime};
}

bool says(const wire::DeliveryReport& report, wire::Verdict verdict) {
  return report.text.starts_with(static_cast<char>(verdict));
}

bool is_success(const wire::DeliveryReport& report) { return says(report, wire::Verdict::success); }

// For a report that is not acted on, whatever it says; one that says nothing known is mangled.
std::string format_deferral(std::uint64_t delivery, const wire::DeliveryReport& report) {
  if (!says(report, wire::Verdict::temporary) && !says(report, wire::Verdict::permanent)) {
    return format_mangled_report(delivery);
  }
  return format_outcome(delivery, Outcome::deferral, std::string_view(report.text).substr(1));
}

}  // namespace

Deliveries::Deliveries(Channel channel, DeliveryContext context)
    : channel_(channel), context_(context), slots_(counts().limit) {
  for (unsigned number = counts().limit; number-- > 0;) free_.push_back(number);
}

bool Deliveries::has_room() const { return !free_.empty() && !context_.counts.exiting; }

bool Deliveries::retries_have_room() const {
  return retries_running_ < most_retries(counts().limit);
}

Backlog::Allowed Deliveries::allowed() const {
  return {.fresh = reading_fresh_.size() < most_reading,
          .retries = retries_have_room() && reading_retries_.size() < most_reading};
}

std::optional<std::int64_t> Deliveries::next() const {
  const auto long_try = first_tries_.next();
  if (!has_room()) return long_try;
  if (!reading_fresh_.empty() || (!reading_retries_.empty() && retries_have_room())) return 0;
  const auto message = backlog_.next(allowed());
  return message && long_try ? std::min(message, long_try) : message ? message : long_try;
}

// It stands in the one line of all that has not been tried.
bool Deliveries::offer_first_try(wire::MessageId id, std::string sender, std::string address,
                                 std::int64_t now) {
  if (!first_tries_.add(id, std::move(sender), std::move(address), now)) return false;
  backlog_.add_fresh(id);
  return true;
}

void Deliveries::begin_first_try(wire::MessageId id, FirstTries::Message& first, std::int64_t now) {
  first_tries_.begin(first);
  Pass pass;
  pass.sender = first.sender;
  pass.retry_at = next_try(now, now, channel_);
  pass.is_last = is_last_try(now, now, context_.lifetime);
  pass.reading = false;
  start_delivery(id, passes_.emplace(id, std::move(pass)).first->second, {first.address, 0});
}

bool Deliveries::settled(wire::MessageId id, bool done, std::int64_t now) {
  FirstTries::Message& first = *first_tries_.find(id);
  if (first.deferred) return end_deferred(id, done, now);
  const auto held = std::exchange(first.held, std::nullopt);
  const bool missed_turn = std::exchange(first.missed_turn, false);
  first.settling = false;
  if (!done && held && !is_success(*held)) {
    give_up(id, *held);
    return false;
  }
  if (done) {
    first_tries_.remove(id);
  } else if (!held) {
    first_tries_.ask_again(id, now + wire::system_failure_pause);
  }
  if (missed_turn) backlog_.add_fresh(id);
  if (held) handle(*held, now);
  return true;
}

bool Deliveries::end_deferred(wire::MessageId id, bool done, std::int64_t now) {
  first_tries_.remove(id);
  if (done) {
    end_if_over(id, now);
  } else {
    passes_.erase(id);
  }
  return done;
}

void Deliveries::give_up(wire::MessageId id, const wire::DeliveryReport& held) {
  context_.log.line(format_deferral(slots_[held.number].delivery, held));
  release(held.number);
  passes_.erase(id);
  first_tries_.remove(id);
}

void Deliveries::make_all_due(std::int64_t now) {
  backlog_.make_all_due(now);
  for (const wire::MessageId id : first_tries_.deferred()) passes_.at(id).retry_at = now;
}

void Deliveries::start(std::int64_t now) {
  for (int step = 0; step < most_steps_per_turn && has_room(); ++step) {
    begin_next_ = !begin_next_;
    const bool progress = begin_next_ ? begin_a_message(now) || go_on_with_a_message(now)
                                      : go_on_with_a_message(now) || begin_a_message(now);
    if (!progress) return;
  }
}

// Whether there was one to begin.
bool Deliveries::begin_a_message(std::int64_t now) {
  const auto choice = backlog_.take(now, allowed());
  if (!choice) return false;
  // Its number stands in the backlog twice, as when its files were removed by hand and a new
  // message got the same number. The pass that runs will put it back.
  if (passes_.contains(choice->id)) return true;
  if (FirstTries::Message* first = first_tries_.find(choice->id)) {
    first->missed_turn = first->settling;
    if (!first->settling) begin_first_try(choice->id, *first, now);
    return true;
  }
  Pass pass;
  pass.is_retry = choice->is_retry;
  if (!open_pass(pass, choice->id, now)) {
    backlog_.add_retry(choice->id, now + wire::system_failure_pause);
    return true;
  }
  advance(choice->id, passes_.emplace(choice->id, std::move(pass)).first->second, now);
  return true;
}

// Whether there was one to go on with.
bool Deliveries::go_on_with_a_message(std::int64_t now) {
  const bool retries_ready = !reading_retries_.empty() && retries_have_room();
  go_on_with_retries_ = !go_on_with_retries_;
  if (reading_fresh_.empty() && !retries_ready) return false;
  const bool take_retry = retries_ready && (go_on_with_retries_ || reading_fresh_.empty());
  Reading& reading = take_retry ? reading_retries_ : reading_fresh_;
  const wire::MessageId id = reading.front();
  reading.pop_front();
  advance(id, passes_.at(id), now);
  return true;
}

bool Deliveries::open_pass(Pass& pass, wire::MessageId id, std::int64_t now) {
  auto info = read_info(id);
  if (!info) {
    context_.log.warning({"trouble reading ", wire::info_path(id), "; will try again later"});
    return false;
  }
  auto file = open_queue_file(path_of(id));
  if (!file) {
    context_.log.warning({"trouble opening ", path_of(id), "; will try again later"});
    return false;
  }
  pass.sender = std::move(info->sender);
  pass.file = std::move(*file);
  pass.retry_at = next_try(info->birth, now, channel_);
  pass.is_last = is_last_try(info->birth, now, context_.lifetime);
  return true;
}

// Starts the delivery to the next recipient of a message, and puts the message back into its line
// unless that was the last.
void Deliveries::advance(wire::MessageId id, Pass& pass, std::int64_t now) {
  auto recipient = next_recipient(id, pass);
  if (!recipient) {
    pass.unreadable = true;
  } else if (*recipient) {
    start_delivery(id, pass, std::move(**recipient));
  }
  pass.reading = !pass.unreadable && !pass.reader.at_end();
  if (pass.reading) {
    (pass.is_retry ? reading_retries_ : reading_fresh_).push_back(id);
    return;
  }
  pass.file.reset();
  end_if_over(id, now);
}

// Nothing: the file has no more. An error has been logged.
Result<std::optional<RecipientReader::Recipient>> Deliveries::next_recipient(wire::MessageId id,
                                                                             Pass& pass) {
  for (;;) {
    auto recipient = pass.reader.next();
    if (!recipient) {
      context_.log.warning({"unknown record type in ", path_of(id), "!"});
      return recipient;
    }
    if (*recipient || pass.reader.at_end()) return recipient;
    char piece[piece_bytes];
    const auto count = read_full(pass.file.get(), piece);
    if (!count) {
      context_.log.warning({"trouble reading ", path_of(id), "; will try again later"});
      return std::unexpected(count.error());
    }
    pass.reader.feed({piece, *count});
    // A read cut short must not look like the end: the recipients behind it would be forgotten.
    if (*count < sizeof piece) pass.reader.end();
  }
}

void Deliveries::start_delivery(wire::MessageId id, Pass& pass,
                                RecipientReader::Recipient recipient) {
  const unsigned number = free_.back();
  free_.pop_back();
  ++pass.unsettled;
  ++pass.undone;
  if (pass.is_retry) ++retries_running_;
  ++counts().running;
  Slot& slot = slots_[number];
  slot = {true, id, recipient.offset, ++context_.deliveries_started, std::move(recipient.address)};
  orders_ += wire::format_order(
      {number, wire::split_name(id), mail::expand_verp(pass.sender, slot.address), slot.address},
      context_.number_bytes);
  context_.log.line(format_start(slot.delivery, id, channel_, slot.address));
  context_.log.line(format_status(context_.counts));
}

void Deliveries::handle(const wire::DeliveryReport& report, std::int64_t now) {
  if (report.number >= slots_.size() || !slots_[report.number].busy) {
    context_.log.warning({"internal error: delivery report out of range"});
    return;
  }
  const Slot& slot = slots_[report.number];
  const wire::MessageId id = slot.id;
  Pass& pass = passes_.at(id);
  const char letter = report.text.empty() ? '\0' : report.text.front();
  const std::string_view text = std::string_view(report.text).substr(letter == '\0' ? 0 : 1);
  const bool delivered = is_success(report);
  FirstTries::Message* first = first_tries_.find(id);
  if (first != nullptr && (first->settling || !delivered)) {
    if (may_end_before_files(report, pass)) {
      end_before_files(report, *first, pass);
    } else {
      first->held = report;
    }
    return first_tries_.ask_to_settle(id, *first);
  }
  bool settled = true;
  if (delivered) {
    context_.log.line(format_outcome(slot.delivery, Outcome::success, text));
    handle_success(slot, pass);
  } else if (letter == static_cast<char>(wire::Verdict::permanent)) {
    handle_failure(slot, std::string(text));
    settled = false;
  } else if (letter == static_cast<char>(wire::Verdict::temporary) && pass.is_last) {
    handle_failure(slot, joined({text, given_up}));
    settled = false;
  } else {
    context_.log.line(format_deferral(slot.delivery, report));
  }
  if (pass.is_retry) --retries_running_;
  release(report.number);
  if (settled) settle_one(id, pass, now);
}

// A deferral is true whether or not the message gets its files, so the next delivery need not wait
// for them: where message after message is deferred they would have the disk to themselves one
// limit's worth at a time. A failure is not: it is told in a bounce, which needs the files.
bool Deliveries::may_end_before_files(const wire::DeliveryReport& report, const Pass& pass) const {
  return says(report, wire::Verdict::temporary) && !pass.is_last && first_tries_.may_defer();
}

void Deliveries::end_before_files(const wire::DeliveryReport& report, FirstTries::Message& first,
                                  Pass& pass) {
  context_.log.line(format_deferral(slots_[report.number].delivery, report));
  release(report.number);
  --pass.unsettled;
  first_tries_.defer(first);
}

void Deliveries::handle_success(const Slot& slot, Pass& pass) {
  // The last mark in a file would be removed with the file a moment later. A crash before that
  // delivers to this recipient again, as a crash before the mark would.
  const bool is_last = !pass.reading && !pass.unreadable && pass.unsettled == 1 && pass.undone == 1;
  pass.removed = first_tries_.find(slot.id) != nullptr ||
                 (is_last && remove_file(path_of(slot.id)).has_value());
  if (!pass.removed) mark_done(slot.id, slot.offset);
  --pass.undone;
}

void Deliveries::handle_failure(const Slot& slot, std::string text) {
  context_.log.line(format_outcome(slot.delivery, Outcome::failure, text));
  failures_.push_back({slot.id, slot.offset, slot.address, std::move(text)});
}

void Deliveries::settle(wire::MessageId id, std::uint64_t offset, bool noted, std::int64_t now) {
  Pass& pass = passes_.at(id);
  if (noted) {
    mark_done(id, offset);
    --pass.undone;
  }
  settle_one(id, pass, now);
}

// One byte in place, and no sync: it is either written or not, and if a crash undoes it, somebody
// gets a message twice.
void Deliveries::mark_done(wire::MessageId id, std::uint64_t offset) {
  if (!marked_ || marked_->id != id) {
    marked_.reset();
    if (auto file = open_queue_file(path_of(id), O_WRONLY)) marked_ = {id, std::move(*file)};
  }
  const char mark = wire::letter_done;
  if (!marked_ || ::pwrite(marked_->file.get(), &mark, 1, static_cast<off_t>(offset)) != 1) {
    context_.log.warning({"trouble marking ", path_of(id), "; message will be delivered twice!"});
  }
}

void Deliveries::release(unsigned number) {
  slots_[number] = {};
  free_.push_back(number);
  --counts().running;
  context_.log.line(format_status(context_.counts));
}

void Deliveries::settle_one(wire::MessageId id, Pass& pass, std::int64_t now) {
  --pass.unsettled;
  end_if_over(id, now);
}

void Deliveries::end_if_over(wire::MessageId id, std::int64_t now) {
  const auto found = passes_.find(id);
  const Pass& pass = found->second;
  if (pass.reading || pass.unsettled > 0) return;
  if (first_tries_.remove(id)) {
    delivered_.push_back(id);
  } else if (pass.undone > 0 || pass.unreadable) {
    backlog_.add_retry(id, pass.retry_at);
  } else if (pass.removed || remove_file(path_of(id))) {
    finished_.push_back(id);
  } else {
    context_.log.warning({"unable to unlink ", path_of(id), "; will try again later"});
    backlog_.add_retry(id, now + wire::system_failure_pause);
  }
  passes_.erase(found);
}

void Deliveries::save_times() {
  for (const auto& [when, id] : backlog_.retries()) {
    const timespec time{.tv_sec = when, .tv_nsec = 0};
    const timespec times[2] = {time, time};
    if (::utimensat(AT_FDCWD, path_of(id).c_str(), times, 0) != 0) {
      context_.log.warning({"unable to utime ", path_of(id), "; message will be retried too soon"});
    }
  }
}

}  // namespace postern::send

#include "send/finisher.h"

#include "posix/files.h"
#include "posix/io.h"
#include "send/queue_file.h"
#include "wire/envelope.h"
#include "wire/time_limits.h"

namespace postern::send {
namespace {

// qmail-queues that this process runs at the same time, each with its bounce.
constexpr unsigned most_injecting = 8;
constexpr int most_messages_per_turn = 64;
constexpr std::size_t most_info_bytes = RecipientReader::most_record_bytes;

Result<std::string> read_sender(wire::MessageId id) {
  const auto info = open_queue_file(wire::info_path(id));
  if (!info) return std::unexpected(info.error());
  const auto bytes = read_to_end(info->get(), most_info_bytes);
  if (!bytes) return std::unexpected(bytes.error());
  return wire::parse_info(*bytes);
}

}  // namespace

void Finisher::collect(std::int64_t now) {
  for (const auto& injected : injector_.take_injected()) bounced(injected, now);
}

void Finisher::work(std::int64_t now) {
  collect(now);
  while (injecting_ < most_injecting && !bounces_.empty()) {
    const wire::MessageId id = bounces_.front();
    bounces_.pop_front();
    finish(id, now);
  }
  for (int messages = 0; messages < most_messages_per_turn; ++messages) {
    const auto id = due_.take_due(now);
    if (!id) return;
    finish(*id, now);
  }
}

// The delivery has been reported, so it is durable (qmail-local's syncs, or the other host's word),
// and nothing need be synced before todo/N goes. That would bring the message a second time, so it
// goes now, and not with the next work(): a process that has been told to exit does none any more.
void Finisher::add_delivered(wire::MessageId id, bool may_have_files, std::int64_t now) {
  in_todo_.emplace(id, may_have_files);
  take_out_of_todo(id, now);
}

// Without todo/N the files would be taken for a message.
void Finisher::take_out_of_todo(wire::MessageId id, std::int64_t now) {
  if (in_todo_.at(id) && !remove_begun_files(id)) return try_later(id, now);
  cleaner_.add({wire::CleanOrder::Kind::todo, id});
}

bool Finisher::remove_begun_files(wire::MessageId id) {
  for (const auto& path : {wire::info_path(id), wire::local_path(id), wire::remote_path(id)}) {
    if (remove_file(path)) continue;
    log_.warning({"unable to unlink ", path, "; will try again later"});
    return false;
  }
  return true;
}

bool Finisher::cleaned(wire::MessageId id, bool done, std::int64_t now) {
  if (!in_todo_.contains(id)) return false;
  if (done) {
    in_todo_.erase(id);
    leave(id);
  } else {
    log_.warning({"qmail-clean unable to clean up ", wire::todo_path(id),
                  "; will try again later, and deliver again if I am started before"});
    try_later(id, now);
  }
  return true;
}

void Finisher::finish(wire::MessageId id, std::int64_t now) {
  if (in_todo_.contains(id)) return take_out_of_todo(id, now);
  switch (begin_bounce(id, now)) {
    case Bounce::none:
      return end(id, now);
    case Bounce::waiting:
      return;
    case Bounce::trouble:
      return try_later(id, now);
  }
}

// none: there is no bounce to be sent (any more).
Finisher::Bounce Finisher::begin_bounce(wire::MessageId id, std::int64_t now) {
  const std::string path = wire::bounce_path(id);
  if (bounced_.contains(id)) return remove_bounce(id) ? Bounce::none : Bounce::trouble;
  auto bounce = open_queue_file(path);
  if (!bounce && bounce.error().code == ENOENT) return Bounce::none;
  const auto sender = read_sender(id);
  if (!bounce || !sender) {
    log_.warning(
        {"trouble reading ", bounce ? wire::info_path(id) : path, "; will try again later"});
    return Bounce::trouble;
  }
  if (*sender == double_bounce_sender) {
    log_.line("triple bounce: discarding " + path);
    return remove_bounce(id) ? Bounce::none : Bounce::trouble;
  }
  auto message = open_queue_file(wire::mess_path(id));
  if (!message && message.error().code == ENOENT) return discard(id);
  if (!message) {
    log_.warning({"trouble opening ", wire::mess_path(id), "; will try again later"});
    return Bounce::trouble;
  }
  if (injecting_ >= most_injecting) {
    bounces_.push_back(id);
    return Bounce::waiting;
  }
  ++injecting_;
  injector_.inject(id, *sender, std::move(*bounce), std::move(*message), now);
  return Bounce::waiting;
}

// mess/N is the last file of a message to be removed, so without it the message had ended before,
// and a crash brought back the names of its other files. There is nothing left to tell its sender.
Finisher::Bounce Finisher::discard(wire::MessageId id) {
  log_.warning({"unable to stat ", wire::mess_path(id), "; discarding ", wire::bounce_path(id)});
  return remove_bounce(id) ? Bounce::none : Bounce::trouble;
}

void Finisher::bounced(const BounceInjector::Injected& injected, std::int64_t now) {
  --injecting_;
  const wire::MessageId id = injected.id;
  if (!injected.accepted) {
    log_.warning({injected.started ? "trouble injecting bounce message, will try later"
                                   : "unable to start qmail-queue, will try later"});
    return try_later(id, now);
  }
  log_.line(joined({"bounce msg ", std::to_string(id), " qp ", std::to_string(injected.qp)}));
  // The bounce is durable, by qmail-queue's word, before its notes go.
  if (remove_bounce(id)) {
    end(id, now);
  } else {
    bounced_.insert(id);
    try_later(id, now);
  }
}

bool Finisher::remove_bounce(wire::MessageId id) {
  if (!remove_file(wire::bounce_path(id))) {
    log_.warning({"unable to unlink ", wire::bounce_path(id), "; will try again later"});
    return false;
  }
  bounced_.erase(id);
  return true;
}

void Finisher::end(wire::MessageId id, std::int64_t now) {
  if (!remove_file(wire::info_path(id))) {
    log_.warning({"unable to unlink ", wire::info_path(id), "; will try again later"});
    return try_later(id, now);
  }
  leave(id);
}

void Finisher::leave(wire::MessageId id) {
  log_.line("end msg " + std::to_string(id));
  cleaner_.add({wire::CleanOrder::Kind::message, id});
  ended_.push_back(id);
}

void Finisher::try_later(wire::MessageId id, std::int64_t now) {
  due_.add(id, now + wire::system_failure_pause);
}

}  // namespace postern::send

// Bounces: noting failed recipients durably in bounce/N, and sending what has been noted back to
// the message's sender.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "posix/fd.h"
#include "send/channel.h"
#include "send/deliveries.h"
#include "send/log.h"
#include "send/routing.h"
#include "send/syncer.h"
#include "send/workers.h"

namespace postern::send {

/// Appends paragraphs to bounce files. Those that come while a sync is going on wait for the next,
/// and share it.
class BounceNotes {
 public:
  struct Noted {
    Channel channel = Channel::local;
    wire::MessageId id = 0;
    std::uint64_t offset = 0;
    bool durable = false;
  };

  BounceNotes(const RoutingRules& rules, Syncer& syncer, Log& log)
      : rules_(rules), syncer_(syncer), log_(log) {}
  void add(Channel channel, const std::vector<Deliveries::Failure>& failures);
  /// Begins to write what waits, unless a sync is going on.
  void work();
  std::vector<Noted> take_noted() { return std::exchange(noted_, {}); }
  /// Nothing waits to be noted.
  [[nodiscard]] bool idle() const {
    return waiting_.empty() && being_written_.empty() && !syncing_;
  }

 private:
  struct OfMessage {
    std::string text;  // paragraphs
    std::vector<Noted> recipients;
  };
  struct Appended {
    Fd file;
    off_t former_end;  // in bytes
  };
  // What one file of the batch being synced has got.
  struct Written {
    wire::MessageId id;
    off_t former_end;
    std::vector<Noted> recipients;
  };

  Result<Appended> append(wire::MessageId id, std::string_view text);
  void take_back(wire::MessageId id, off_t former_end);
  void sync(std::vector<Fd> files, std::vector<Written> written);
  void synced(std::vector<Written>& written, const Syncer::Results& durable);

  const RoutingRules& rules_;
  Syncer& syncer_;
  Log& log_;
  std::map<wire::MessageId, OfMessage> waiting_;
  std::map<wire::MessageId, OfMessage> being_written_;  // before any that waits
  bool syncing_ = false;
  std::vector<Noted> noted_;
};

/// Who bounces come from, and where those go that cannot be returned.
struct BounceNames {
  std::string from_user;  // control/bouncefrom
  std::string from_host;  // control/bouncehost
  std::string double_to;  // control/doublebounceto@control/doublebouncehost
};

/// The sender of a message that is itself a bounce of a bounce.
inline constexpr std::string_view double_bounce_sender = "#@[]";

/// Hands bounces to qmail-queue, beside the loop: a slow $QMAILQUEUE holds up other bounces only.
class BounceInjector {
 public:
  struct Injected {
    wire::MessageId id = 0;
    bool started = false;   // qmail-queue could be run
    bool accepted = false;  // the bounce is in the queue, durably
    pid_t qp = 0;
  };

  /// What qmail-queue has to say on its descriptor 2 goes to `log_fd`.
  BounceInjector(std::string home, BounceNames names, Workers& workers, int log_fd)
      : home_(std::move(home)), names_(std::move(names)), workers_(workers), log_fd_(log_fd) {}
  /// `bounce` and `message` are the open files bounce/N and mess/N.
  void inject(wire::MessageId id, const std::string& sender, Fd bounce, Fd message,
              std::int64_t now);
  std::vector<Injected> take_injected() { return std::exchange(injected_, {}); }

 private:
  std::string home_;
  BounceNames names_;
  Workers& workers_;
  int log_fd_;
  std::vector<Injected> injected_;
};

}  // namespace postern::send

// qmail-send's loop. Everything that decides something is in the classes it holds; this waits until
// one of them has something to do, gives each its moment, and carries messages from one to the
// next:
//
//   Preprocessor --> Deliveries (local, remote) --> Finisher --> qmail-clean
//   Loader ------/         \--> BounceNotes --/        \--> BounceInjector
//
// No step waits for anything, and none takes longer than a moment: new mail cannot starve
// deliveries, deliveries cannot starve new mail, and a slow disk, spawn or qmail-queue holds up
// only what needs it.
#pragma once

#include <poll.h>

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "posix/clock.h"
#include "posix/signals.h"
#include "send/bouncer.h"
#include "send/cleaner.h"
#include "send/debris.h"
#include "send/deliveries.h"
#include "send/finisher.h"
#include "send/link.h"
#include "send/loader.h"
#include "send/log.h"
#include "send/preprocessor.h"
#include "send/settings.h"
#include "send/syncer.h"
#include "send/workers.h"
#include "wire/report_reader.h"

namespace postern::send {

class Engine {
 public:
  struct Links {
    Link lspawn;
    Link rspawn;
    Link clean;
  };
  using Clock = std::function<std::int64_t()>;  // seconds since 1970

  /// `counts` holds the limits of the two channels. The current directory is HOME/queue.
  Engine(Settings settings, DeliveryCounts counts, std::size_t number_bytes, Links links,
         int log_fd, Clock clock);

  /// Until SIGTERM, or the loss of a process that is needed; then saves what must be saved.
  void run(SignalFd& signals);

  // What run() is made of.
  /// Waits at most `longest` for something to do, and does it. False: it is over.
  bool turn(SignalFd* signals, std::chrono::milliseconds longest);
  void handle_signal(int signal);
  void save();

 private:
  struct ChannelState {
    ChannelState(Link its_link, std::size_t number_bytes, Channel channel, DeliveryContext context)
        : link(std::move(its_link)), reports(number_bytes), deliveries(channel, context) {}
    Link link;
    bool is_gone = false;  // its loss has been told
    wire::ReportReader reports;
    Deliveries deliveries;
  };

  ChannelState& of(Channel channel) { return channel == Channel::local ? local_ : remote_; }
  void wait(SignalFd* signals, std::chrono::milliseconds longest);
  [[nodiscard]] std::chrono::milliseconds time_to_wait(std::int64_t now) const;
  [[nodiscard]] bool has_news(int fd) const;
  void take_signals(SignalFd* signals);
  void receive(std::int64_t now);
  void receive_reports(Channel channel, std::int64_t now);
  void receive_clean_answers(std::int64_t now);
  void admit(std::int64_t now);
  bool take_for_first_try(const Preprocessor::Alone& alone, std::int64_t now);
  void settle_first_tries(std::int64_t now);
  void log_new(const NewMessage& message);
  void load(std::int64_t now);
  void settle(std::int64_t now);
  void finished(Channel channel, wire::MessageId id, std::int64_t now);
  void give_orders();
  void notice_losses();
  void reread();
  [[nodiscard]] bool is_over();

  Settings settings_;
  Clock clock_;
  Log log_;
  DeliveryCounts counts_;
  std::uint64_t deliveries_started_ = 0;
  std::vector<pollfd> polled_;  // as the last wait() has found them
  Workers sync_workers_;
  Workers bounce_workers_;
  Syncer syncer_;
  Cleaner cleaner_;
  Link clean_;
  bool clean_is_gone_ = false;
  Preprocessor preprocessor_;
  Loader loader_;
  ChannelState local_;
  ChannelState remote_;
  BounceNotes notes_;
  BounceInjector injector_;
  Finisher finisher_;
  Debris debris_;
  /// Every message that is in the hands of Deliveries or Finisher: on which channels somebody is
  /// left, one bit for each.
  std::unordered_map<wire::MessageId, unsigned char> messages_;
  std::optional<std::int64_t> all_due_at_;  // SIGALRM has come: what is loaded later is due too
  std::optional<Deadline> last_moment_;     // for leaving, once no delivery runs
};

}  // namespace postern::send

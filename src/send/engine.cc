#include "send/engine.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>

#include "posix/files.h"

namespace postern::send {
namespace {

using std::chrono::milliseconds;

constexpr unsigned sync_threads = 16;
constexpr unsigned bounce_threads = 8;
constexpr int most_loaded_per_turn = 128;
// However far the next thing to do is: the wall clock may be set in between.
constexpr milliseconds longest_wait{300'000};
constexpr milliseconds short_wait{100};
// When all deliveries have ended after SIGTERM, bounces being queued and files being removed get
// this long to end; what does not is done again after the next start.
constexpr milliseconds patience_at_exit{10'000};
constexpr unsigned pause_when_lost = 10;  // seconds

constexpr unsigned char bit_of(Channel channel) {
  return static_cast<unsigned char>(1U << index_of(channel));
}

DeliveryContext context_of(const Settings& settings, std::size_t number_bytes,
                           DeliveryCounts& counts, std::uint64_t& deliveries_started, Log& log) {
  return {settings.lifetime, number_bytes, counts, deliveries_started, log};
}

}  // namespace

Engine::Engine(Settings settings, DeliveryCounts counts, std::size_t number_bytes, Links links,
               int log_fd, Clock clock)
    : settings_(std::move(settings)),
      clock_(std::move(clock)),
      log_(log_fd),
      counts_(counts),
      sync_workers_(sync_threads),
      bounce_workers_(bounce_threads),
      syncer_(sync_workers_),
      clean_(std::move(links.clean)),
      preprocessor_(settings_.rules, syncer_, cleaner_, log_,
                    [this](const Preprocessor::Alone& alone, std::int64_t now) {
                      return take_for_first_try(alone, now);
                    }),
      loader_(log_),
      local_(std::move(links.lspawn), number_bytes, Channel::local,
             context_of(settings_, number_bytes, counts_, deliveries_started_, log_)),
      remote_(std::move(links.rspawn), number_bytes, Channel::remote,
              context_of(settings_, number_bytes, counts_, deliveries_started_, log_)),
      notes_(settings_.rules, syncer_, log_),
      injector_(settings_.home, settings_.bounces, bounce_workers_, log_fd),
      finisher_(injector_, cleaner_, log_),
      debris_(cleaner_, log_) {
  log_.line(format_status(counts_));
  log_.flush();
}

void Engine::run(SignalFd& signals) {
  while (turn(&signals, longest_wait)) {
  }
  save();
}

bool Engine::turn(SignalFd* signals, milliseconds longest) {
  wait(signals, longest);
  take_signals(signals);
  const std::int64_t now = clock_();
  receive(now);
  if (!counts_.exiting) {
    admit(now);
    for (const Channel channel : channels) of(channel).deliveries.start(now);
  }
  settle(now);
  for (const Channel channel : channels) of(channel).deliveries.end_turn();
  if (counts_.exiting) {
    finisher_.collect(now);
  } else {
    finisher_.work(now);
    debris_.work(now);
  }
  for (const wire::MessageId id : finisher_.take_ended()) {
    messages_.erase(id);
    preprocessor_.forget(id);
  }
  give_orders();
  notice_losses();
  log_.flush();
  return !is_over();
}

void Engine::wait(SignalFd* signals, milliseconds longest) {
  polled_.clear();
  const auto watch = [&](int fd, short events) { polled_.push_back({fd, events, 0}); };
  for (const Channel channel : channels) {
    ChannelState& state = of(channel);
    if (state.link.lost()) continue;
    watch(state.link.from(), POLLIN);
    if (!state.deliveries.orders().empty()) watch(state.link.to(), POLLOUT);
  }
  if (!clean_.lost()) {
    watch(clean_.from(), POLLIN);
    if (!cleaner_.to_write().empty()) watch(clean_.to(), POLLOUT);
  }
  watch(sync_workers_.fd(), POLLIN);
  watch(bounce_workers_.fd(), POLLIN);
  const int trigger = counts_.exiting ? -1 : preprocessor_.scan().trigger_fd();
  watch(trigger, POLLIN);
  if (signals != nullptr) watch(signals->fd(), POLLIN);

  const milliseconds timeout = std::min(longest, time_to_wait(clock_()));
  ::poll(polled_.data(), polled_.size(), static_cast<int>(timeout.count()));
  if (has_news(trigger)) preprocessor_.scan().pulled();
}

// Nothing is read from where there is nothing: that would be a good part of a turn's calls.
bool Engine::has_news(int fd) const {
  return std::ranges::any_of(
      polled_, [fd](const pollfd& item) { return item.fd == fd && item.revents != 0; });
}

// Until the earliest thing that somebody has planned.
milliseconds Engine::time_to_wait(std::int64_t now) const {
  if (counts_.exiting) return last_moment_ ? short_wait : longest_wait;
  if (preprocessor_.has_work()) return milliseconds{0};
  milliseconds timeout = longest_wait;
  std::optional<std::int64_t> next_scan;
  if (preprocessor_.has_room()) {
    const TodoScan& scan = preprocessor_.scan();
    timeout = scan.pull_waits().value_or(longest_wait);
    next_scan = scan.next_scan();
  }
  for (const std::optional<std::int64_t> when :
       {next_scan, loader_.next_time(), local_.deliveries.next(), remote_.deliveries.next(),
        finisher_.next(), debris_.next()}) {
    if (!when) continue;
    const std::int64_t seconds = std::clamp<std::int64_t>(*when, now, now + 1000) - now;
    timeout = std::min(timeout, milliseconds{seconds * 1000});
  }
  // Without their descriptors the workers cannot say that they are done.
  const bool must_ask = sync_workers_.fd() < 0 || bounce_workers_.fd() < 0;
  if (must_ask) timeout = std::min(timeout, short_wait);
  return timeout;
}

void Engine::take_signals(SignalFd* signals) {
  if (signals == nullptr || !has_news(signals->fd())) return;
  for (const int signal : signals->take()) handle_signal(signal);
}

void Engine::handle_signal(int signal) {
  if (signal == SIGTERM && !counts_.exiting) {
    counts_.exiting = true;
    log_.line(format_status(counts_));
  } else if (signal == SIGALRM) {
    all_due_at_ = clock_();
    for (const Channel channel : channels) of(channel).deliveries.make_all_due(*all_due_at_);
    finisher_.make_all_due(*all_due_at_);
    preprocessor_.scan().make_all_due(*all_due_at_);
    loader_.make_all_due(*all_due_at_);
  } else if (signal == SIGHUP) {
    reread();
  }
}

// Controls are read in the home directory; all else happens in its queue.
void Engine::reread() {
  if (!change_directory(settings_.home)) {
    log_.alert({"unable to reread controls: unable to switch to home directory"});
    return;
  }
  if (const auto done = reread_rules(settings_.rules); !done) {
    log_.alert({"unable to reread ", done.error().what});
  }
  while (!change_directory("queue")) {
    log_.alert({"unable to switch back to queue directory; HELP! sleeping..."});
    ::sleep(pause_when_lost);
  }
}

void Engine::receive(std::int64_t now) {
  for (const Channel channel : channels) {
    if (has_news(of(channel).link.from())) receive_reports(channel, now);
  }
  // Asked in any case: they may have been unable to tell.
  for (Workers* workers : {&sync_workers_, &bounce_workers_}) {
    workers->finish(has_news(workers->fd()));
  }
  if (has_news(clean_.from())) receive_clean_answers(now);
}

void Engine::receive_reports(Channel channel, std::int64_t now) {
  ChannelState& state = of(channel);
  for (const auto& report : state.reports.feed(state.link.read())) {
    state.deliveries.handle(report, now);
  }
}

void Engine::receive_clean_answers(std::int64_t now) {
  for (const auto& [order, done] : cleaner_.feed(clean_.read())) {
    if (order.kind == wire::CleanOrder::Kind::todo) {
      if (!finisher_.cleaned(order.id, done, now)) preprocessor_.cleaned(order.id, done, now);
    } else if (!done) {
      log_.warning({"qmail-clean unable to clean up ", wire::mess_path(order.id)});
    }
  }
}

// New mail, and mail that was here before us.
void Engine::admit(std::int64_t now) {
  preprocessor_.work(now);
  for (const auto& [message, has_local, has_remote] : preprocessor_.take_preprocessed()) {
    log_new(message);
    unsigned char left = 0;
    if (has_local) left |= bit_of(Channel::local);
    if (has_remote) left |= bit_of(Channel::remote);
    messages_.insert_or_assign(message.id, left);
    if (has_local) local_.deliveries.add_fresh(message.id);
    if (has_remote) remote_.deliveries.add_fresh(message.id);
    if (left == 0) finisher_.add(message.id, now);
  }
  load(now);
}

void Engine::log_new(const NewMessage& message) {
  log_.line(format_new_message(message.id));
  log_.line(format_message_info(message));
}

bool Engine::take_for_first_try(const Preprocessor::Alone& alone, std::int64_t now) {
  const auto& [message, channel, address] = alone;
  if (messages_.contains(message.id)) return false;
  if (!of(channel).deliveries.offer_first_try(message.id, message.sender, address, now))
    return false;
  log_new(message);
  messages_.emplace(message.id, bit_of(channel));
  return true;
}

void Engine::load(std::int64_t now) {
  for (int count = 0; count < most_loaded_per_turn; ++count) {
    const auto id = loader_.next(now);
    if (!id) return;
    if (messages_.contains(*id) || preprocessor_.has(*id)) continue;
    const auto loaded = loader_.load(*id, now);
    if (!loaded) continue;
    unsigned char left = 0;
    const auto add = [&](Channel channel, std::optional<std::int64_t> when) {
      if (!when) return;
      left |= bit_of(channel);
      of(channel).deliveries.add_retry(*id, std::min(*when, all_due_at_.value_or(*when)));
    };
    add(Channel::local, loaded->local);
    add(Channel::remote, loaded->remote);
    messages_.insert_or_assign(*id, left);
    if (left == 0) finisher_.add(*id, now);
  }
}

// A first try that delivers takes its message straight out of the queue. For every other the report
// is held until the message has its files, and counts then.
void Engine::settle_first_tries(std::int64_t now) {
  for (const Channel channel : channels) {
    for (const wire::MessageId id : of(channel).deliveries.take_unsettled(now)) {
      preprocessor_.settle(id);
    }
    for (const wire::MessageId id : of(channel).deliveries.take_delivered()) {
      finisher_.add_delivered(id, preprocessor_.delivered(id), now);
    }
  }
  preprocessor_.sync_what_is_written(now);
  for (const auto& [id, channel, done] : preprocessor_.take_settled()) {
    if (of(channel).deliveries.settled(id, done, now)) continue;
    preprocessor_.put_back(id, now);
    messages_.erase(id);
  }
}

// Failures to the bounce files, noted failures back to their deliveries, and what is finished on.
void Engine::settle(std::int64_t now) {
  settle_first_tries(now);
  for (const Channel channel : channels) {
    notes_.add(channel, of(channel).deliveries.take_failures());
  }
  notes_.work();
  for (const auto& noted : notes_.take_noted()) {
    of(noted.channel).deliveries.settle(noted.id, noted.offset, noted.durable, now);
  }
  for (const Channel channel : channels) {
    for (const wire::MessageId id : of(channel).deliveries.take_finished()) {
      finished(channel, id, now);
    }
  }
}

void Engine::finished(Channel channel, wire::MessageId id, std::int64_t now) {
  const auto found = messages_.find(id);
  // Somebody has removed a message under our hands, and another has got its number: its end, and
  // the order to remove its files, come once.
  if (found == messages_.end() || (found->second & bit_of(channel)) == 0) return;
  found->second &= static_cast<unsigned char>(~bit_of(channel));
  if (found->second == 0) finisher_.add(id, now);
}

void Engine::give_orders() {
  for (const Channel channel : channels) {
    ChannelState& state = of(channel);
    std::string& orders = state.deliveries.orders();
    orders.erase(0, state.link.write(orders));
  }
  cleaner_.wrote(clean_.write(cleaner_.to_write()));
}

void Engine::notice_losses() {
  for (const Channel channel : channels) {
    ChannelState& state = of(channel);
    if (!state.link.lost() || std::exchange(state.is_gone, true)) continue;
    log_.alert({"oh no! lost spawn connection! dying..."});
    counts_.exiting = true;
  }
  if (clean_.lost() && !std::exchange(clean_is_gone_, true)) {
    log_.alert({"oh no! lost qmail-clean connection! dying..."});
    counts_.exiting = true;
    preprocessor_.clean_is_lost(clock_());
  }
}

// After SIGTERM: once no delivery runs whose report can still come, and no failure waits to be
// noted.
bool Engine::is_over() {
  if (!counts_.exiting) return false;
  for (const Channel channel : channels) {
    if (!of(channel).link.lost() && counts_.of(channel).running > 0) return false;
    if (of(channel).deliveries.has_deferred_first_tries()) return false;
  }
  if (!notes_.idle()) return false;
  if (!last_moment_) last_moment_ = Deadline::after(patience_at_exit);
  return (finisher_.injecting() == 0 && (clean_.lost() || cleaner_.idle())) ||
         last_moment_->passed();
}

void Engine::save() {
  for (const Channel channel : channels) of(channel).deliveries.save_times();
  log_.line("status: exiting");
  log_.flush();
}

}  // namespace postern::send

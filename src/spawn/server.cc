#include "spawn/server.h"

#include <poll.h>

#include <algorithm>
#include <climits>
#include <csignal>
#include <vector>

#include "posix/buffer.h"
#include "posix/io.h"
#include "posix/program.h"
#include "spawn/kept_workers.h"
#include "spawn/order_check.h"

namespace postern::spawning {
namespace {

constexpr std::size_t chunk_bytes = 16384;
// What a pipe holds: orders that were written together are seen together.
constexpr std::size_t orders_bytes = 65536;
// An order holds two addresses, which qmail-queue limits to about 1000 bytes each.
constexpr std::size_t most_incoming = 1 << 20;
// While so much waits for qmail-send to read it, no further orders are taken.
constexpr std::size_t most_outgoing = 1 << 20;
// A worker needs a pipe while it runs and a message while it is started.
constexpr std::size_t files_per_delivery = 3;
// Ours, and two for each worker that waits.
constexpr std::size_t files_of_our_own = 24 + 2 * (most_delivery_workers + most_lookup_workers);

// A worker that cannot be waited for counts as crashed.
ExitStatus lost_worker() { return ExitStatus(SIGKILL); }

}  // namespace

unsigned delivery_limit(std::size_t number_bytes, std::size_t open_files) {
  const unsigned most = wire::most_deliveries(number_bytes);
  if (number_bytes == 1) return std::min(wire::spawn_limit, most);
  if (open_files <= files_of_our_own + files_per_delivery) return 1;
  const std::size_t room = (open_files - files_of_our_own) / files_per_delivery;
  return static_cast<unsigned>(std::min<std::size_t>(room, most));
}

int Server::run() {
  auto signals = SignalFd::watch({SIGCHLD});
  if (!signals) die(exit_code::temporary, signals.error());
  outgoing_ = wire::format_delivery_number(setup_.limit, setup_.number_bytes);
  while (!finished()) {
    if (const auto turned = turn(*signals); !turned) die(exit_code::temporary, turned.error());
  }
  return exit_code::ok;
}

bool Server::finished() const { return orders_ended_ && running_.empty() && outgoing_.empty(); }

bool Server::wants_orders() const { return !orders_ended_ && outgoing_.size() < most_outgoing; }

// One wait for whatever happens first, and all that has happened by then.
Status Server::turn(SignalFd& signals) {
  // poll() skips negative descriptors.
  std::vector<pollfd> polled = {{wants_orders() ? setup_.orders : -1, POLLIN, 0},
                                {outgoing_.empty() ? -1 : setup_.reports, POLLOUT, 0},
                                {signals.fd(), POLLIN, 0}};
  std::vector<unsigned> numbers;
  for (const auto& [number, running] : running_) {
    if (running.output_ended) continue;
    polled.push_back({running.worker.output.get(), POLLIN, 0});
    polled.push_back({running.worker.stays.get(), POLLIN, 0});
    numbers.push_back(number);
  }
  if (::poll(polled.data(), polled.size(), channel_.tidy(child_ended_)) < 0) {
    if (errno == EINTR) return {};
    return system_failure("unable to poll");
  }
  child_ended_ = polled[2].revents != 0;
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const auto [output, stays] = std::pair(polled[2 * i + 3], polled[2 * i + 4]);
    if (stays.revents != 0) {
      stayed(numbers[i]);
    } else if (output.revents != 0) {
      read_output(numbers[i]);
    }
  }
  if (child_ended_) {
    (void)signals.take();
    std::vector<unsigned> ended;
    for (const auto& [number, running] : running_) {
      if (running.output_ended) ended.push_back(number);
    }
    for (const unsigned number : ended) collect(number);
  }
  if (polled[0].revents != 0) read_orders();
  if (polled[1].revents != 0) write_reports();
  return {};
}

// Whatever has been ordered by now may go together; nothing waits for more.
void Server::read_orders() {
  const std::size_t had = incoming_.size();
  make_room(incoming_, had + orders_bytes);
  const auto count = read_some(setup_.orders, std::span(incoming_).subspan(had));
  incoming_.resize(had + count.value_or(0));
  if (!count || *count == 0) {
    orders_ended_ = true;
    return;
  }
  channel_.look_around();
  Batch batch;
  std::string_view rest = incoming_;
  while (auto order = wire::take_order(rest, setup_.number_bytes)) accept(std::move(*order), batch);
  incoming_.erase(0, incoming_.size() - rest.size());
  for (Delivery& delivery : batch.deliveries()) begin(std::move(delivery));
  if (incoming_.size() > most_incoming) {
    warn("an order longer than 1048576 bytes: not taking any more");
    orders_ended_ = true;
  }
}

void Server::accept(wire::DeliveryOrder order, Batch& batch) {
  const unsigned number = order.number;
  if (number >= setup_.limit) {
    return report(number, "ZInternal error: delnum too big. (#4.3.5)\n");
  }
  if (in_use_.contains(number)) {
    return report(number, "ZInternal error: delnum in use. (#4.3.5)\n");
  }
  if (const auto checked = check_order(order.message, order.recipient); !checked) {
    return report(number, checked.error());
  }
  in_use_.insert(number);
  const std::string common = channel_.common_to(order);
  batch.add(std::move(order), common);
}

void Server::begin(Delivery delivery) {
  const unsigned number = delivery.order().number;
  auto message = open_message(delivery.order().message, setup_.message_owner);
  if (!message) return end(delivery, {message.error()});
  delivery.message = std::move(*message);
  Running& running = running_[number];
  running.delivery = std::move(delivery);
  settle(number, channel_.begin(running.delivery));
}

// The report waits for two things, in this order: the end of the output, which a process left in
// the background by the worker may put off, and the end of the worker.
void Server::read_output(unsigned number) {
  Running& running = running_[number];
  char chunk[chunk_bytes];
  const auto count = read_some(running.worker.output.get(), chunk);
  if (!count || *count == 0) {
    running.worker.output.reset();
    running.output_ended = true;
    running.worker.stays.reset();  // who would stay now waits for nothing, and ends
    return collect(number);
  }
  take_output(running, {chunk, *count});
}

void Server::take_output(Running& running, std::string_view bytes) const {
  const std::size_t room = channel_.most_output(running.delivery) - running.output.size();
  if (bytes.size() > room) running.too_long = true;
  running.output.append(bytes.substr(0, room));
}

// It wrote all its output before it said so: what the pipe holds now is the rest. Nothing here
// waits for the worker; one that writes more than is kept is let go.
void Server::stayed(unsigned number) {
  Running& running = running_[number];
  Worker& worker = running.worker;
  unsigned char code = 0;
  const auto said = read_some(worker.stays.get(), {reinterpret_cast<char*>(&code), 1});
  if (!said || *said == 0) return worker.stays.reset();  // it has ended, or is about to
  while (!running.too_long && wait_for(worker.output.get(), POLLIN, Deadline::after({}))) {
    char chunk[chunk_bytes];
    const auto count = read_some(worker.output.get(), chunk);
    if (!count || *count == 0) return worker.stays.reset();
    take_output(running, {chunk, *count});
  }
  if (running.too_long) return worker.stays.reset();
  Finished finished{
      .status = ExitStatus::of_code(code), .output = std::move(running.output), .stays = true};
  const unsigned stage = worker.stage;
  channel_.keep(std::move(worker));
  settle(number, channel_.proceed(running.delivery, stage, std::move(finished)));
}

void Server::collect(unsigned number) {
  Running& running = running_[number];
  const auto status = running.worker.child.try_wait();
  if (status && !*status) return;  // SIGCHLD will tell
  Finished finished{.status = status ? **status : lost_worker(),
                    .output = std::move(running.output),
                    .too_long = running.too_long};
  settle(number, channel_.proceed(running.delivery, running.worker.stage, std::move(finished)));
}

void Server::settle(unsigned number, Next next) {
  Running& running = running_[number];
  if (auto* worker = std::get_if<Worker>(&next)) {
    running.worker = std::move(*worker);
    running.output.clear();
    running.too_long = false;
    running.output_ended = false;
    return;
  }
  const auto* text = std::get_if<std::string>(&next);
  end(running.delivery, text != nullptr ? std::vector{*text} : std::get<2>(next));
  running_.erase(number);
}

// One report is for all.
void Server::end(const Delivery& delivery, const std::vector<std::string>& reports) {
  for (std::size_t i = 0; i < delivery.orders.size(); ++i) {
    const unsigned number = delivery.orders[i].number;
    report(number, reports.size() == 1 ? reports.front() : reports.at(i));
    in_use_.erase(number);
  }
}

void Server::report(unsigned number, std::string_view text) {
  if (reports_broken_) return;
  outgoing_ += wire::format_report({number, std::string(text)}, setup_.number_bytes);
}

// A pipe that poll() calls writable takes PIPE_BUF bytes without blocking.
void Server::write_reports() {
  const std::string_view piece = std::string_view(outgoing_).substr(0, PIPE_BUF);
  if (write_all(setup_.reports, piece)) {
    outgoing_.erase(0, piece.size());
    return;
  }
  reports_broken_ = true;
  outgoing_.clear();
  // A qmail-send that is still there would wait for ever for what was lost: it hears from our end.
  orders_ended_ = true;
}

}  // namespace postern::spawning

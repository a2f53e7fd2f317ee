#include "smtpd/queue_broker.h"

#include <algorithm>

#include "posix/files.h"
#include "posix/io.h"
#include "posix/server_log.h"

namespace postern::smtpd {
namespace {

// That a server has done its work is noticed by the next order, or so long afterwards.
constexpr std::chrono::seconds between_looks{1};

}  // namespace

Result<QueueBroker> QueueBroker::create(std::string qmail_home, std::size_t most,
                                        BrokerTimes times) {
  auto sockets = make_packet_pair();
  if (!sockets) return std::unexpected(sockets.error());
  return QueueBroker(std::move(*sockets), std::move(qmail_home), most, times);
}

QueueBroker::QueueBroker(PacketPair sockets, std::string qmail_home, std::size_t most,
                         BrokerTimes times)
    : sockets_(std::move(sockets)),
      qmail_home_(std::move(qmail_home)),
      most_(most),
      times_(times),
      not_before_(Deadline::after(std::chrono::milliseconds(0))),
      look_again_(Deadline::never()) {}

// What a server says is of interest where an order waits for it; else the next order finds it, and
// nobody is woken for it.
void QueueBroker::add_to(std::vector<pollfd>& polled) const {
  polled.push_back({sockets_.theirs.get(), POLLIN, 0});
  if (waiting_.empty()) return;
  for (const auto& server : servers_) polled.push_back({server.process.orders.get(), POLLIN, 0});
}

void QueueBroker::handle(std::span<const pollfd> polled) {
  const bool is_order = polled.front().revents != 0;
  if (is_order || !waiting_.empty()) catch_up();
  if (is_order) take_order();
}

// Hears all that servers have said.
void QueueBroker::catch_up() {
  std::vector<pollfd> polled;
  for (const auto& server : servers_) polled.push_back({server.process.orders.get(), POLLIN, 0});
  if (::poll(polled.data(), polled.size(), 0) <= 0) return;
  auto next = servers_.begin();
  for (const auto& heard : polled) {
    const auto server = next++;
    if (heard.revents != 0 && !hear(*server)) servers_.erase(server);
  }
}

// False: it has ended.
bool QueueBroker::hear(Server& server) {
  char said = 0;
  const auto count = read_some(server.process.orders.get(), {&said, 1});
  if (!count || *count == 0) {
    if (!server.has_been) give_up();
    return false;
  }
  server.ready = true;
  server.has_been = true;
  server.until = Deadline::after(times_.idle);
  if (waiting_.empty()) return true;
  const Packet order = std::move(waiting_.front());
  waiting_.pop_front();
  return give(server, order);
}

// Its socket need not have ended: a program in its place may have left something behind.
bool QueueBroker::remove(pid_t pid) {
  const auto server = std::ranges::find_if(
      servers_, [pid](const Server& one) { return one.process.child.pid() == pid; });
  if (server == servers_.end()) return false;
  if (!server->has_been) give_up();
  servers_.erase(server);
  return true;
}

void QueueBroker::take_order() {
  auto order = receive_packet(sockets_.theirs.get(), wire::queue_order_bytes.size());
  if (order && !*order) return renew_sockets();
  if (!order || (*order)->descriptors.size() != wire::queue_order_descriptors) return;
  dismiss_the_replaced();
  for (auto server = servers_.begin(); server != servers_.end();) {
    if (!server->ready) {
      ++server;
    } else if (give(*server, **order)) {
      // The next order goes to the one that was used last, so that the others may go.
      servers_.splice(servers_.begin(), servers_, server);
      return;
    } else {
      server = servers_.erase(server);
    }
  }
  if (servers_.size() >= most_ || !not_before_.passed()) return;
  waiting_.push_back(std::move(**order));
  start_server();
}

// We hold the other end, so a session has shut it down: none of ours does.
void QueueBroker::renew_sockets() {
  auto sockets = make_packet_pair();
  sockets_ = sockets ? std::move(*sockets) : PacketPair{};
}

// False: it has gone.
bool QueueBroker::give(Server& server, const Packet& order) {
  const int descriptors[] = {order.descriptors[0].get(), order.descriptors[1].get(),
                             order.descriptors[2].get()};
  server.ready = false;
  if (look_again_.poll_timeout() < 0) look_again_ = Deadline::after(between_looks);
  return send_packet(server.process.orders.get(), wire::queue_order_bytes, descriptors).has_value();
}

void QueueBroker::start_server() {
  auto process = wire::start_queue_server(qmail_home_);
  if (!process) {
    log_warning(describe(process.error()));
    return give_up();
  }
  servers_.push_front({.process = std::move(*process)});
}

// Sessions start one themselves, and tell their clients what comes of it.
void QueueBroker::give_up() {
  waiting_.clear();
  not_before_ = Deadline::after(times_.retry);
}

// Another program may stand there now, and want to see each message.
void QueueBroker::dismiss_the_replaced() {
  auto version = file_version(qmail_home_ + "/" + std::string(wire::queue_program));
  if (version == version_) return;
  version_ = std::move(version);
  servers_.clear();
  waiting_.clear();
  not_before_ = Deadline::after(std::chrono::milliseconds(0));
}

int QueueBroker::tidy() {
  if (look_again_.passed()) {
    catch_up();
    const bool some_work =
        std::ranges::any_of(servers_, [](auto& server) { return !server.ready; });
    look_again_ = some_work ? Deadline::after(between_looks) : Deadline::never();
  }
  std::erase_if(servers_,
                [](const Server& server) { return server.ready && server.until.passed(); });
  int timeout = look_again_.poll_timeout();
  for (const auto& server : servers_) {
    if (server.ready) timeout = sooner(timeout, server.until.poll_timeout());
  }
  return timeout;
}

}  // namespace postern::smtpd

#include "wire/queue_orders.h"

#include <fcntl.h>
#include <poll.h>

#include <chrono>
#include <span>
#include <string>

#include "base/integers.h"
#include "posix/files.h"
#include "posix/io.h"
#include "posix/packets.h"
#include "posix/pipe.h"
#include "wire/descriptors.h"

namespace postern::wire {
namespace {

constexpr std::size_t most_pid_bytes = 20;
constexpr std::chrono::milliseconds between_looks{50};

// A qmail-queue that cannot even begin may have written the code behind the line.
std::optional<TakenOrder> read_taken(Fd answer) {
  char bytes[most_pid_bytes];
  std::size_t size = 0;
  std::size_t end = std::string_view::npos;
  while (end == std::string_view::npos) {
    const auto count = read_some(answer.get(), std::span(bytes).subspan(size));
    if (!count || *count == 0) return std::nullopt;
    size += *count;
    end = std::string_view(bytes, size).find('\n');
  }
  const auto qp = parse_decimal<pid_t>({bytes, end});
  if (!qp) return std::nullopt;
  TakenOrder taken{.qp = *qp, .answer = std::move(answer), .exit_code = {}};
  if (end + 1 < size) taken.exit_code = static_cast<unsigned char>(bytes[end + 1]);
  return taken;
}

}  // namespace

QueueOrders QueueOrders::on_descriptor() {
  // Where there is none, the first word cannot be sent.
  (void)::fcntl(queue_orders_fd, F_SETFD, FD_CLOEXEC);
  return QueueOrders(Fd(queue_orders_fd));
}

Result<std::optional<QueueOrder>> QueueOrders::next() {
  for (;;) {
    const auto said = is_waiting_ ? Status{} : say_waiting();
    if (!said && said.error().code == EPIPE) return std::nullopt;
    if (!said) return std::unexpected(said.error());
    auto packet = receive_packet(socket_.get(), queue_order_bytes.size());
    if (!packet && packet.error().code != EMSGSIZE) return std::unexpected(packet.error());
    if (packet && !*packet) return std::nullopt;
    is_waiting_ = false;
    // Without room for a descriptor the kernel leaves it out.
    if (!packet || (*packet)->descriptors.size() != queue_order_descriptors) continue;
    auto& descriptors = (*packet)->descriptors;
    return QueueOrder{std::move(descriptors[0]), std::move(descriptors[1]),
                      std::move(descriptors[2])};
  }
}

// A caller that knows without being told need not read it, so there may be no room for more.
Status QueueOrders::say_waiting() {
  const auto said = send_packet(socket_.get(), queue_order_bytes);
  is_waiting_ = said || said.error().code == EAGAIN;
  return is_waiting_ ? Status{} : said;
}

Status QueueOrders::say_taken(const QueueOrder& order, pid_t qp) {
  return write_all(order.answer.get(), std::to_string(qp) + "\n");
}

// Where nobody is there to hear the first, next() finds that out.
void QueueOrders::say_done(const QueueOrder& order, int exit_code) {
  (void)say_waiting();
  const char code = static_cast<char>(exit_code);
  (void)write_all(order.answer.get(), {&code, 1});
}

Result<QueueServer> start_queue_server(const std::string& qmail_home) {
  auto sockets = make_packet_pair();
  if (!sockets) return std::unexpected(sockets.error());
  const auto nothing = open_file("/dev/null", O_RDONLY);
  if (!nothing) return std::unexpected(nothing.error());
  auto child = spawn({.argv = {std::string(queue_program), std::string(serving_argument)},
                      .fds = {{nothing->get(), queue_fd::message},
                              {nothing->get(), queue_fd::envelope},
                              {sockets->theirs.get(), queue_orders_fd}},
                      .directory = qmail_home});
  if (!child) return std::unexpected(child.error());
  return QueueServer{std::move(*child), std::move(sockets->ours)};
}

bool waits_for_orders(QueueServer& server) {
  for (;;) {
    char said = 0;
    if (wait_for(server.orders.get(), POLLIN, Deadline::after(between_looks))) {
      const auto count = read_some(server.orders.get(), {&said, 1});
      return count && *count == 1;
    }
    if (const auto ended = server.child.try_wait(); !ended || *ended) return false;
  }
}

std::optional<TakenOrder> give_order(int orders, int message, int envelope) {
  auto answer = make_pipe();
  if (!answer) return std::nullopt;
  const int descriptors[] = {message, envelope, answer->write.get()};
  if (!send_packet(orders, queue_order_bytes, descriptors)) return std::nullopt;
  answer->write.reset();
  return read_taken(std::move(answer->read));
}

std::optional<int> read_exit_code(const TakenOrder& order) {
  if (order.exit_code) return order.exit_code;
  char code = 0;
  const auto count = read_some(order.answer.get(), {&code, 1});
  if (!count || *count == 0) return std::nullopt;
  return static_cast<unsigned char>(code);
}

}  // namespace postern::wire

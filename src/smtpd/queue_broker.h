// Brings the messages of many sessions to few qmail-queues. Each session has a socket on which it
// gives its orders (wire/queue_orders.h); whoever waits for one gets it. An order carries all that
// belongs to its message, so no qmail-queue need be the session's own, and no session waits for
// another's message.
#pragma once

#include <poll.h>

#include <chrono>
#include <deque>
#include <list>
#include <span>
#include <string>
#include <vector>

#include "posix/clock.h"
#include "posix/packets.h"
#include "wire/queue_orders.h"

namespace postern::smtpd {

/// How long a qmail-queue without work stays; how long none is tried after one that takes no
/// orders, such as another program in its place.
struct BrokerTimes {
  std::chrono::milliseconds idle{60'000};
  std::chrono::milliseconds retry{60'000};
};

/// An order that nobody can take is let go: its session then starts a qmail-queue as ever.
class QueueBroker {
 public:
  /// At most `most` qmail-queues, from `qmail_home`.
  static Result<QueueBroker> create(std::string qmail_home, std::size_t most,
                                    BrokerTimes times = {});

  /// Where sessions give orders: a copy of it is all they need.
  [[nodiscard]] int orders_for_sessions() const { return sockets_.ours.get(); }

  /// Adds what is to be polled.
  void add_to(std::vector<pollfd>& polled) const;
  /// Does what is possible now. `polled` is what add_to() has added.
  void handle(std::span<const pollfd> polled);
  /// A child has ended. False: it was none of these.
  bool remove(pid_t pid);
  /// Lets go of those that have idled too long. In how many milliseconds it is to be called again;
  /// -1: no need.
  int tidy();

 private:
  struct Server {
    wire::QueueServer process;
    bool ready = false;     // it waits for an order
    bool has_been = false;  // it has waited for one before
    Deadline until = Deadline::never();
  };
  QueueBroker(PacketPair sockets, std::string qmail_home, std::size_t most, BrokerTimes times);
  void catch_up();
  void take_order();
  void renew_sockets();
  bool give(Server& server, const Packet& order);
  void start_server();
  bool hear(Server& server);
  void dismiss_the_replaced();
  void give_up();

  PacketPair sockets_;  // sessions have `ours`
  std::string qmail_home_;
  std::size_t most_;
  BrokerTimes times_;
  std::list<Server> servers_;
  std::deque<Packet> waiting_;  // for a server that has been started
  std::string version_;         // of the file that the servers came from
  Deadline not_before_;         // no server is started
  Deadline look_again_;         // at what servers have said
};

}  // namespace postern::smtpd

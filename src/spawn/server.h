// The loop of qmail-lspawn and qmail-rspawn: orders from qmail-send in, reports out, many
// deliveries at a time. Protocol: docs/wire/spawn.md.
#pragma once

#include <map>
#include <set>
#include <string>

#include "posix/signals.h"
#include "spawn/batch.h"
#include "spawn/channel.h"

namespace postern::spawning {

struct ServerSetup {
  int orders = 0;                // descriptor; qmail-send writes
  int reports = 1;               // descriptor; qmail-send reads
  std::size_t number_bytes = 1;  // of a delivery number, wire::delivery_number_bytes()
  unsigned limit = 0;            // deliveries at a time, delivery_limit()
  uid_t message_owner = 0;       // qmailq
};

/// How many deliveries a spawn offers to run at a time. With one-byte numbers: what conf-spawn
/// says. With two bytes: as many as `open_files` (RLIMIT_NOFILE) has room for.
unsigned delivery_limit(std::size_t number_bytes, std::size_t open_files);

/// Serves orders until their end, then finishes the deliveries that are running. Nothing blocks it:
/// neither a worker nor a qmail-send that is slow to read. The current directory is queue/mess, and
/// SIGPIPE is ignored.
class Server {
 public:
  Server(const ServerSetup& setup, Channel& channel) : setup_(setup), channel_(channel) {}
  /// The exit code: 0, or 111 when signals or descriptors cannot be watched.
  int run();

 private:
  struct Running {
    Delivery delivery;
    Worker worker;
    std::string output;
    bool too_long = false;
    bool output_ended = false;
  };

  [[nodiscard]] bool finished() const;
  [[nodiscard]] bool wants_orders() const;
  Status turn(SignalFd& signals);
  void read_orders();
  void accept(wire::DeliveryOrder order, Batch& batch);
  void begin(Delivery delivery);
  void read_output(unsigned number);
  void take_output(Running& running, std::string_view bytes) const;
  void stayed(unsigned number);
  void collect(unsigned number);
  void settle(unsigned number, Next next);
  void end(const Delivery& delivery, const std::vector<std::string>& reports);
  void report(unsigned number, std::string_view text);
  void write_reports();

  ServerSetup setup_;
  Channel& channel_;
  std::map<unsigned, Running> running_;  // by the number of each one's first order
  std::set<unsigned> in_use_;            // the numbers of all their orders
  std::string incoming_;
  std::string outgoing_;
  bool child_ended_ = false;  // since the last turn
  bool orders_ended_ = false;
  bool reports_broken_ = false;  // they reach nobody; what runs is finished all the same
};

}  // namespace postern::spawning

// Workers that have ended a delivery and wait for another one of the same kind, so that a burst of
// mail for somebody does not start a program for every message. docs/wire/spawn.md.
#pragma once

#include <chrono>
#include <functional>
#include <list>
#include <span>
#include <string>
#include <vector>

#include "posix/packets.h"
#include "spawn/channel.h"

namespace postern::spawning {

/// Of deliveries, waiting; of look-ups.
inline constexpr std::size_t most_delivery_workers = 16;
inline constexpr std::size_t most_lookup_workers = 8;

class KeptWorkers {
 public:
  using Time = std::chrono::steady_clock::time_point;
  using Clock = std::function<Time()>;
  static constexpr std::chrono::seconds lifetime{5};

  struct Limits {
    unsigned deliveries;                       // of one worker: what it leaks is bounded
    std::size_t most = most_delivery_workers;  // of all kinds, waiting
    /// The lifetime begins with the first wait, and not with the last.
    bool in_all = false;
  };
  KeptWorkers(Clock clock, Limits limits) : clock_(std::move(clock)), limits_(limits) {}

  void put(Worker worker);
  /// Hands an order (wire/kept_worker.h) to a worker of this kind. Nothing: there is none that
  /// takes it. Copies of `descriptors`, the message, go along.
  std::optional<Worker> give(const std::string& kind, std::string_view order,
                             std::span<const int> descriptors = {});
  /// Lets go of those that have waited too long, and says in how many milliseconds the next one
  /// will have; -1: none waits.
  int tidy();
  /// To be called when a child has ended: it may have been one of these.
  void collect();

 private:
  struct Waiting {
    Worker worker;
    Time until;
  };
  void let_go(std::list<Waiting>::iterator waiting);

  Clock clock_;
  Limits limits_;
  std::list<Waiting> waiting_;  // those that have waited longest first
  std::vector<Child> leaving_;  // told to, not collected yet
};

/// Tells a program that is about to be started that its descriptor wire::kept_worker_fd is a socket
/// on which it may stay.
void tell_of_socket(SpawnSpec& spec);
/// Offers it to stay: gives it its end of `sockets`, and tells it. Where there is no socket for it,
/// it works once.
void offer_to_stay(SpawnSpec& spec, PacketPair& sockets);

/// A channel whose workers may stay.
class KeepingChannel : public Channel {
 public:
  void keep(Worker worker) override { kept_workers_.put(std::move(worker)); }
  int tidy(bool child_ended) override {
    if (child_ended) kept_workers_.collect();
    return kept_workers_.tidy();
  }

 protected:
  KeepingChannel(KeptWorkers::Clock clock, KeptWorkers::Limits limits)
      : kept_workers_(std::move(clock), limits) {}
  KeptWorkers kept_workers_;
};

}  // namespace postern::spawning

// Workers that have ended a delivery and wait for another one of the same kind, so that a burst of
// mail for somebody does not start a program for every message. docs/wire/spawn.md.
#pragma once

#include <chrono>
#include <functional>
#include <list>
#include <string>
#include <vector>

#include "posix/packets.h"
#include "spawn/channel.h"

namespace postern::spawning {

class KeptWorkers {
 public:
  using Time = std::chrono::steady_clock::time_point;
  using Clock = std::function<Time()>;
  static constexpr std::chrono::seconds lifetime{5};  // without work
  static constexpr std::size_t most = 16;             // of all kinds, waiting

  /// `most_deliveries` of one worker: what it leaks is bounded.
  KeptWorkers(Clock clock, unsigned most_deliveries)
      : clock_(std::move(clock)), most_deliveries_(most_deliveries) {}

  void put(Worker worker);
  /// Hands an order (wire/kept_worker.h) to a worker of this kind. Nothing: there is none that
  /// takes it.
  std::optional<Worker> give(const std::string& kind, std::string_view order, int message);
  /// Lets go of those that have waited too long, and says in how many milliseconds the next one
  /// will have; -1: none waits.
  int tidy();
  /// To be called when a child has ended: it may have been one of these.
  void collect();

 private:
  struct Waiting {
    Worker worker;
    Time since;
  };
  void let_go(std::list<Waiting>::iterator waiting);

  Clock clock_;
  unsigned most_deliveries_;
  std::list<Waiting> waiting_;  // the longest first
  std::vector<Child> leaving_;  // told to, not collected yet
};

/// Offers a program that is about to be started to stay: gives it its end of `sockets`, and tells
/// it. Where there is no socket for it, it works once.
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
  KeepingChannel(KeptWorkers::Clock clock, unsigned most_deliveries)
      : kept_workers_(std::move(clock), most_deliveries) {}
  KeptWorkers kept_workers_;
};

}  // namespace postern::spawning

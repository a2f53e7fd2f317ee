// Workers that have ended a delivery and wait for another one of the same kind, so that a burst of
// mail for somebody does not start a program for every message. docs/wire/spawn.md.
#pragma once

#include <chrono>
#include <functional>
#include <list>
#include <string>
#include <vector>

#include "spawn/channel.h"

namespace postern::spawning {

class KeptWorkers {
 public:
  using Time = std::chrono::steady_clock::time_point;
  using Clock = std::function<Time()>;
  static constexpr std::chrono::seconds lifetime{5};  // without work
  static constexpr std::size_t most = 16;             // of all kinds, waiting
  static constexpr unsigned most_deliveries = 200;    // of one worker: what it leaks is bounded

  explicit KeptWorkers(Clock clock) : clock_(std::move(clock)) {}

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
  std::list<Waiting> waiting_;  // the longest first
  std::vector<Child> leaving_;  // told to, not collected yet
};

}  // namespace postern::spawning

// Hosts that one message after another has found down. When thousands wait for such a host, to try
// it for each would take more of the machine than the mail that can be delivered; so what the last
// try has said is said of the next ones too, for a tenth of a second. Before that is over, one of
// them is a try again. Few messages never come to that: each of them is tried.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <unordered_map>

namespace postern::spawning {

class DeadHosts {
 public:
  using Time = std::chrono::steady_clock::time_point;
  using Clock = std::function<Time()>;
  /// So many tries must have failed, with none between that did not, each within a second of the
  /// one before.
  static constexpr unsigned tries = 64;
  static constexpr std::chrono::seconds most_between_failures{1};
  static constexpr std::chrono::milliseconds between_tries{50};  // from then on
  static constexpr std::chrono::milliseconds lifetime{100};      // of an answer
  static constexpr std::size_t most = 1000;                      // hosts
  static constexpr std::size_t most_said_bytes = 1024;           // longer words are not kept

  explicit DeadHosts(Clock clock) : clock_(std::move(clock)) {}
  /// What is to be said of a message for the host. Nothing: it is to be tried with this one.
  std::optional<std::string> answer(const std::string& host);
  /// It was tried and could not be reached, of which the try says this.
  void failed(const std::string& host, std::string said);
  void reached(const std::string& host) { hosts_.erase(host); }

 private:
  struct Failures {
    unsigned count = 0;
    Time last{};
    Time next_try{};
    std::string said{};  // by the last
  };

  Clock clock_;
  std::unordered_map<std::string, Failures> hosts_;
};

}  // namespace postern::spawning

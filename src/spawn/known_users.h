// What the user look-up has just said, so that a burst of mail for somebody does not ask for every
// message. An answer serves for a second, and for less where users/cdb or /etc/passwd changes: no
// longer than a delivery that was ordered before a change may take to begin anyway.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "wire/users_cdb.h"

namespace postern::spawning {

class KnownUsers {
 public:
  using Time = std::chrono::steady_clock::time_point;
  using Clock = std::function<Time()>;
  static constexpr std::chrono::seconds lifetime{1};
  static constexpr std::size_t most = 1000;  // addresses

  /// A change of one of the files `sources`, or of whether it exists, ends all answers.
  KnownUsers(std::vector<std::string> sources, Clock clock)
      : sources_(std::move(sources)), clock_(std::move(clock)) {}
  std::optional<wire::LocalUser> find(const std::string& local);
  void remember(const std::string& local, wire::LocalUser user);

 private:
  struct Answer {
    wire::LocalUser user;
    Time when;
  };
  [[nodiscard]] std::vector<std::string> versions() const;

  std::vector<std::string> sources_;
  Clock clock_;
  std::vector<std::string> seen_;
  std::unordered_map<std::string, Answer> answers_;
};

}  // namespace postern::spawning

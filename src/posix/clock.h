// Time, as an argument: code that needs "now" takes a value, and only a program's edge asks here.
#pragma once

#include <chrono>
#include <cstdint>

namespace postern {

/// Seconds since 1970, UTC.
std::int64_t unix_time();

/// A moment after which an operation has taken too long. Steps of the wall clock do not move it.
class Deadline {
 public:
  static Deadline never() { return Deadline(std::chrono::steady_clock::time_point::max()); }
  static Deadline after(std::chrono::milliseconds span) {
    return Deadline(std::chrono::steady_clock::now() + span);
  }
  /// For poll(): milliseconds left, 0 when it has passed, -1 for never.
  [[nodiscard]] int poll_timeout() const;
  [[nodiscard]] bool passed() const { return poll_timeout() == 0; }

 private:
  explicit Deadline(std::chrono::steady_clock::time_point at) : at_(at) {}
  std::chrono::steady_clock::time_point at_;
};

/// The sooner of two timeouts for poll(), of which -1 is never.
int sooner(int timeout, int other);

}  // namespace postern

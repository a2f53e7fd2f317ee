#include "posix/clock.h"

#include <algorithm>
#include <ctime>
#include <limits>

namespace postern {

std::int64_t unix_time() { return ::time(nullptr); }

int Deadline::poll_timeout() const {
  if (at_ == std::chrono::steady_clock::time_point::max()) return -1;
  const auto left =
      std::chrono::ceil<std::chrono::milliseconds>(at_ - std::chrono::steady_clock::now());
  if (left.count() <= 0) return 0;
  return static_cast<int>(std::min<long long>(left.count(), std::numeric_limits<int>::max()));
}

int sooner(int timeout, int other) {
  if (timeout < 0 || other < 0) return std::max(timeout, other);
  return std::min(timeout, other);
}

}  // namespace postern

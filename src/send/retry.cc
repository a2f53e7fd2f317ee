#include "send/retry.h"

#include <algorithm>

#include "base/integers.h"

namespace postern::send {
namespace {

// Times come from files, and a file may claim any. Within this span from each other (30 000 years)
// nothing below can overflow.
constexpr std::int64_t longest_age = std::int64_t{1} << 40;

std::int64_t plausible_birth(std::int64_t birth, std::int64_t now) {
  return std::clamp(birth, now - longest_age, now + longest_age);
}

std::int64_t age_of(std::int64_t birth, std::int64_t now) {
  return std::max<std::int64_t>(now - birth, 0);
}

}  // namespace

std::int64_t next_try(std::int64_t birth, std::int64_t now, Channel channel) {
  birth = plausible_birth(birth, now);
  const std::int64_t step = channel == Channel::local ? 10 : 20;
  const auto age = static_cast<std::uint64_t>(age_of(birth, now));
  const std::int64_t root = static_cast<std::int64_t>(integer_square_root(age)) + step;
  return birth + root * root;
}

bool is_last_try(std::int64_t birth, std::int64_t now, std::int64_t lifetime) {
  return age_of(plausible_birth(birth, now), now) > std::min(lifetime, longest_age - 1);
}

}  // namespace postern::send

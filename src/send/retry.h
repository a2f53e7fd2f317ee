// When a message is tried again, and when it has been tried for long enough. Times and spans are
// seconds. Source: qmail 1.03's schedule, which administrators know by heart: remote tries at 0,
// 400, 1600, 3600 ... seconds of age.
#pragma once

#include <cstdint>

#include "send/channel.h"

namespace postern::send {

/// birth + (floor(sqrt(age)) + s)^2, where s is 10 for local and 20 for remote deliveries. A birth
/// in the future counts as an age of 0.
std::int64_t next_try(std::int64_t birth, std::int64_t now, Channel channel);

/// Whether this try of the message is the last: what fails now, fails for good.
bool is_last_try(std::int64_t birth, std::int64_t now, std::int64_t lifetime);

}  // namespace postern::send

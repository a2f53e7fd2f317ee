// The bounces that qmail-send's engine has queued. qmail-queue itself is not run for them: the
// functions of wire/queue_client.h are defined in bounces.cc, and keep what they are given. A
// process for each of thousands of bounces would take most of the time.
#pragma once

#include <string>
#include <vector>

namespace postern::crash_states {

struct Bounce {
  std::string text;
  std::string envelope;  // as qmail-queue reads it
};

/// Those queued since the last call.
std::vector<Bounce> take_bounces();

}  // namespace postern::crash_states

// How the programs that inject messages end.
#pragma once

#include <string>

#include "base/error.h"
#include "wire/queue_client.h"

namespace postern::inject {

struct Outcome {
  int exit_code = 0;
  std::string problem;  // without the program's name; empty: none
};

/// 100: the same would happen again.
Outcome permanent(const Error& error);
/// 111: it may be better later.
Outcome temporary(const Error& error);

/// Ends the message's envelope and waits for qmail-queue's verdict.
Outcome finish_queueing(wire::QueueClient& client);

}  // namespace postern::inject

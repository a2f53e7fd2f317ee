// What qmail-queue does around enqueue(): the only setuid program must not be led astray by what
// its caller hands it (signals, timers, limits, a working directory, closed descriptors).
#pragma once

#include <span>

namespace postern::queue {

/// The whole of qmail-queue; `arguments` with the program's name. The result is its exit code
/// (wire::QueueExit). Stays for further messages where the caller offers that (wire/kept_worker.h).
int run_queue_program(std::span<char* const> arguments);

}  // namespace postern::queue

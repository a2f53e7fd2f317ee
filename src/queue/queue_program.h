// What qmail-queue does around enqueue(): the only setuid program must not be led astray by what
// its caller hands it (signals, timers, limits, a working directory, closed descriptors).
#pragma once

namespace postern::queue {

/// The whole of qmail-queue; the result is its exit code (wire::QueueExit).
int run_queue_program();

}  // namespace postern::queue

// qmail-clean's work: unlinks what qmail-send, which may not write in qmailq's directories, has
// finished with. Orders and replies: docs/wire/clean.md.
#pragma once

#include <cstdint>
#include <string_view>

#include "wire/clean_order.h"

namespace postern::queue {

/// Carries one order out (a request without its NUL); the names it removes may be gone already. The
/// current directory is HOME/queue.
wire::CleanReply carry_out_clean_order(std::string_view request);

/// Removes files in pid/ that no living qmail-queue can own any more. `now`: seconds since 1970.
void sweep_pid_directory(std::int64_t now);

/// Orders from `orders`, replies to `reports`, until the end of file. Result: exit code.
int serve_clean_orders(int orders, int reports);

/// The whole of qmail-clean: as above in HOME/queue, on descriptors 0 and 1.
int run_clean_program();

}  // namespace postern::queue

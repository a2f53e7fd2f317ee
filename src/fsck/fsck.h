// qmail-queue-fsck: checks a stopped queue, and repairs it. docs/QUEUE.md, "Moving and repairing a
// queue".
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "fsck/diagnosis.h"
#include "posix/identity.h"

namespace postern::fsck {

/// Exit codes: those of fsck(8), and qmail's for what could not be done at all.
namespace exit_code {
inline constexpr int sound = 0;
inline constexpr int mended = 1;   // there was something wrong; now there is not
inline constexpr int unsound = 4;  // something is wrong, and still is
}  // namespace exit_code

struct Options {
  std::string queue{};  // its directory
  bool repair = false;
  MessageId split = wire::queue_split;
};
/// Nothing: used wrongly.
std::optional<Options> parse_options(int argc, const char* const* argv, const std::string& home);

/// Does it all, in the current directory. Every line for the administrator goes to `print`. The
/// Error of a repair that was cut short says so; the queue then stays closed.
Result<int> check_queue(const Options& options, const SuiteIds& ids, std::int64_t now,
                        const std::function<void(std::string_view)>& print);

/// The program.
int run_fsck(int argc, const char* const* argv);

}  // namespace postern::fsck

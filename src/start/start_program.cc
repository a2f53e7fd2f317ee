#include "start/start_program.h"

#include <grp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <climits>

#include "posix/environment.h"
#include "posix/files.h"
#include "posix/io.h"
#include "posix/program.h"
#include "start/start_plan.h"
#include "start/wide_numbers.h"
#include "wire/descriptors.h"
#include "wire/home.h"

namespace postern::start {
namespace {

std::size_t choose_number_bytes() {
  if (!change_directory(wire::home()) || !wants_wide_numbers()) return 1;
  constexpr std::array<std::string_view, 3> speakers = {"qmail-send", "qmail-lspawn",
                                                        "qmail-rspawn"};
  if (all_know_wide_numbers(speakers, environment_variable("PATH").value_or(""))) return 2;
  warn(
      "more than 255 deliveries at a time are configured, but not all of qmail-send, "
      "qmail-lspawn and qmail-rspawn in $PATH can number them: staying at 255");
  return 1;
}

// What must not be handed down: the caller's open files, groups, directory and file modes. The
// group is qmail for everybody but the logger; qmail-lspawn stays root in it.
void shed_inheritance(const SuiteIds& ids) {
  ::close_range(3, UINT_MAX, 0);
  ::umask(077);
  if (::setgroups(0, nullptr) != 0 || ::setresgid(ids.qmail, ids.qmail, ids.qmail) != 0) {
    die(exit_code::temporary, Error{"unable to become group qmail (only root can)", errno});
  }
  if (const auto done = change_directory("/"); !done) die(exit_code::temporary, done.error());
}

}  // namespace

int run_start_program(std::span<char* const> arguments) {
  const StartArguments parsed = parse_start_arguments(arguments);
  const auto ids = read_suite_ids();
  if (!ids) die(exit_code::temporary, ids.error());
  const std::size_t number_bytes = choose_number_bytes();
  shed_inheritance(*ids);

  const auto channels = make_channels(!parsed.logger.empty());
  if (!channels) die(exit_code::temporary, channels.error());
  const StartPlan plan = plan_start(parsed, *ids, *channels, current_environment(), number_bytes);
  for (const SpawnSpec& child : plan.children) {
    // Those already running see the ends of their pipes close, and go.
    if (const auto started = spawn(child); !started) die(exit_code::temporary, started.error());
  }
  const Error error = execute(plan.send);
  // By now the log is where qmail-send has it, and descriptor 2 is a pipe.
  (void)write_all(wire::send_fd::log, "qmail-start: fatal: " + describe(error) + "\n");
  return exit_code::temporary;
}

}  // namespace postern::start

#include "spawn/start.h"

#include <sys/resource.h>

#include <csignal>

#include "posix/environment.h"
#include "posix/files.h"
#include "posix/program.h"
#include "wire/descriptors.h"
#include "wire/home.h"

namespace postern::spawning {

Start start_spawn() {
  Start start{.home = wire::home(), .ids = {}, .server = {}};
  if (const auto changed = change_directory(start.home + "/queue/mess"); !changed) {
    die(exit_code::temporary, changed.error());
  }
  ignore_signal(SIGPIPE);
  const auto ids = read_suite_ids();
  if (!ids) die(exit_code::temporary, ids.error());
  start.ids = *ids;

  const std::size_t number_bytes = wire::delivery_number_bytes();
  unset_environment_variable(wire::wide_numbers_variable);  // the deliveries have no use for it
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) != 0) files.rlim_cur = 1024;
  start.server = {.orders = wire::server_fd::orders,
                  .reports = wire::server_fd::reports,
                  .number_bytes = number_bytes,
                  .limit = delivery_limit(number_bytes, files.rlim_cur),
                  .message_owner = start.ids.queue};
  return start;
}

}  // namespace postern::spawning

// How both spawns begin: in queue/mess, knowing the suite's users and the size of the numbers.
#pragma once

#include <string>

#include "posix/identity.h"
#include "spawn/server.h"

namespace postern::spawning {

struct Start {
  std::string home;  // the qmail home
  SuiteIds ids;
  ServerSetup server;
};
/// Changes to queue/mess, ignores SIGPIPE, reads who is who. Dies with 111 where that fails.
Start start_spawn();

}  // namespace postern::spawning

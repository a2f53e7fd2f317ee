// The control files that qmail-remote reads.
#pragma once

#include <chrono>
#include <string>

#include "base/error.h"
#include "control/host_map.h"

namespace postern::remote {

struct Controls {
  std::string helohost;
  std::chrono::seconds connect_timeout{60};
  std::chrono::seconds reply_timeout{1200};
  control::HostMap smtproutes;
  control::HostMap authsenders;
};

/// Relative to the qmail home. Error: names the file, its value and the mend.
Result<Controls> read_controls();

}  // namespace postern::remote

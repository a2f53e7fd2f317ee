// What qmail-send reads from control files.
#pragma once

#include <cstdint>
#include <string>

#include "base/error.h"
#include "send/bouncer.h"
#include "send/routing.h"

namespace postern::send {

struct Settings {
  std::string home;  // the qmail home, an absolute path
  BounceNames bounces;
  std::uint64_t concurrency_local = 0;
  std::uint64_t concurrency_remote = 0;
  std::int64_t lifetime = 0;  // seconds
  RoutingRules rules;
};

/// The current directory is the qmail home. Error: names the file and what is wrong with it.
Result<Settings> read_settings(const std::string& home);

/// Reads those files again that SIGHUP is for, locals and virtualdomains. Error: its `what` is the
/// path of the file that cannot be read; both keep their old values.
Status reread_rules(RoutingRules& rules);

}  // namespace postern::send

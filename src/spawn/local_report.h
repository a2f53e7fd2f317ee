// What qmail-lspawn reports when qmail-local, or the process that looks an address up, has ended.
// Exit codes and texts: docs/wire/spawn.md.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "spawn/channel.h"

namespace postern::spawning {

/// Exit codes by which the processes of a local delivery say what stopped them.
enum class LocalExit : int {
  bug = 101,
  misused = 112,
  would_be_root = 113,
  file_server_trouble = 115,  // a home directory cannot be looked at now
  no_alias_user = 116,
  users_cdb_trouble = 117,
  system_trouble = 118,
  out_of_memory = 119,
  exec_failed = 120,
  exec_getpw_failed = 121,
  not_loaded = 127,  // the system's loader could not set the program up, as without memory
  exec_failed_for_good = 126,  // never ours: a program that cannot be run is mended, mail waits
};

constexpr int exit_with(LocalExit reason) { return static_cast<int>(reason); }

/// The report for one of these codes; nothing for any other code.
std::optional<std::string_view> local_exit_report(int code);

/// The report of a qmail-local that has ended: its exit code decides, its output is the text.
std::string format_local_report(const Finished& finished);

/// The report of a look-up that has failed. Always temporary.
std::string format_lookup_failure(const ExitStatus& status);

/// Bytes of qmail-local's output that are kept.
inline constexpr std::size_t most_local_output = 3000;

}  // namespace postern::spawning

// qmail-queue's exit codes and what each means to its callers. Described in docs/wire/queue.md.
#pragma once

#include <span>
#include <string_view>

namespace postern::wire {

enum class QueueExit : int {
  ok = 0,
  address_too_long = 11,
  refused = 31,
  out_of_memory = 51,
  timeout = 52,
  write_error = 53,
  read_error = 54,
  bad_configuration = 55,
  network_trouble = 56,
  home_trouble = 61,
  queue_directory_trouble = 62,
  pid_file_trouble = 63,
  mess_file_trouble = 64,
  intd_file_trouble = 65,
  todo_file_trouble = 66,
  server_refused_for_now = 71,
  connection_timed_out = 72,
  connection_refused = 73,
  communication_failed = 74,
  internal_bug = 81,
  custom_text = 82,  // the text stands on descriptor 6
  bad_envelope = 91,
  address_too_long_too = 115,  // what very old versions used for 11
  exec_failed = 120,
};

/// One line of the table: exit code; the text for the sender of the message, whose first letter
/// says whether the refusal is permanent (D) or temporary (Z); what it tells the administrator.
struct QueueExitMeaning {
  QueueExit code;
  std::string_view text;
  std::string_view meaning;
};
/// Every exit code with a text of its own, in ascending order.
std::span<const QueueExitMeaning> queue_exit_meanings();

/// The text for any exit code; codes outside the table: 11 to 40 are permanent, others temporary.
std::string_view queue_exit_text(int code);

inline constexpr std::string_view queue_crashed = "Zqq crashed (#4.3.0)";
inline constexpr std::string_view queue_wait_failed = "Zqq waitpid surprise (#4.3.0)";

}  // namespace postern::wire

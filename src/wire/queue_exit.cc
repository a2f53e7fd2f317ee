#include "wire/queue_exit.h"

#include <algorithm>
#include <array>

namespace postern::wire {
namespace {

using enum QueueExit;

constexpr std::string_view too_long = "Denvelope address too long for qq (#5.1.3)";
constexpr std::string_view creating_files = "Zqq trouble creating files in queue (#4.3.0)";
constexpr std::string_view bug_text = "Zqq internal bug (#4.3.0)";

// clang-format off
constexpr std::array meanings = std::to_array<QueueExitMeaning>({
    {address_too_long, too_long,
     "An address of the envelope is longer than 1002 bytes."},
    {refused, "Dmail server permanently rejected message (#5.3.0)",
     "Refused for good, by a program in qmail-queue's place."},
    {out_of_memory, "Zqq out of memory (#4.3.0)",
     "Out of memory."},
    {timeout, "Zqq timeout (#4.3.0)",
     "The caller took more than 24 hours."},
    {write_error, "Zqq write error or disk full (#4.3.0)",
     "The disk is full, or could not be written or synced."},
    {read_error, "Zqq read error (#4.3.0)",
     "The message or the envelope could not be read to its end."},
    {bad_configuration, "Zqq unable to read configuration (#4.3.0)",
     "A program in qmail-queue's place lacks its configuration."},
    {network_trouble, "Zqq trouble making network connection (#4.3.0)",
     "A program in qmail-queue's place could not make a socket."},
    {home_trouble, "Zqq trouble in home directory (#4.3.0)",
     "The qmail home cannot be entered."},
    {queue_directory_trouble, creating_files,
     "The directory queue cannot be entered."},
    {pid_file_trouble, creating_files,
     "A file in queue/pid cannot be made."},
    {mess_file_trouble, creating_files,
     "A file in queue/mess cannot be made."},
    {intd_file_trouble, creating_files,
     "A file in queue/intd cannot be made."},
    {todo_file_trouble, creating_files,
     "A file in queue/todo cannot be made."},
    {server_refused_for_now, "Zmail server temporarily rejected message (#4.3.0)",
     "Refused for now, by a program in qmail-queue's place."},
    {connection_timed_out, "Zconnection to mail server timed out (#4.4.1)",
     "A program in qmail-queue's place waited for a server in vain."},
    {connection_refused, "Zconnection to mail server rejected (#4.4.1)",
     "A program in qmail-queue's place found no server that listens."},
    {communication_failed, "Zcommunication with mail server failed (#4.4.2)",
     "A program in qmail-queue's place lost the connection to its server."},
    {internal_bug, bug_text,
     "A bug."},
    {bad_envelope, bug_text,
     "The envelope is not one."},
    {address_too_long_too, too_long,
     "What very old versions used for 11."},
    {exec_failed, "Zunable to exec qq (#4.3.0)",
     "Of the caller's child: the program could not be run."},
});
// clang-format on
static_assert(std::ranges::is_sorted(meanings, {}, &QueueExitMeaning::code));

}  // namespace

std::span<const QueueExitMeaning> queue_exit_meanings() { return meanings; }

std::string_view queue_exit_text(int code) {
  const auto* found =
      std::ranges::find(meanings, code, [](const auto& m) { return static_cast<int>(m.code); });
  if (found != meanings.end()) return found->text;
  if (code >= 11 && code <= 40) return "Dqq permanent problem (#5.3.0)";
  return "Zqq temporary problem (#4.3.0)";
}

}  // namespace postern::wire

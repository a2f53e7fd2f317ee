#include "wire/queue_exit.h"

#include <algorithm>
#include <array>

namespace postern::wire {
namespace {

using enum QueueExit;

constexpr std::string_view too_long = "Denvelope address too long for qq (#5.1.3)";
constexpr std::string_view creating_files = "Zqq trouble creating files in queue (#4.3.0)";
constexpr std::string_view bug_text = "Zqq internal bug (#4.3.0)";

constexpr std::array<QueueExitMeaning, 22> meanings = {{
    {address_too_long, too_long},
    {refused, "Dmail server permanently rejected message (#5.3.0)"},
    {out_of_memory, "Zqq out of memory (#4.3.0)"},
    {timeout, "Zqq timeout (#4.3.0)"},
    {write_error, "Zqq write error or disk full (#4.3.0)"},
    {read_error, "Zqq read error (#4.3.0)"},
    {bad_configuration, "Zqq unable to read configuration (#4.3.0)"},
    {network_trouble, "Zqq trouble making network connection (#4.3.0)"},
    {home_trouble, "Zqq trouble in home directory (#4.3.0)"},
    {queue_directory_trouble, creating_files},
    {pid_file_trouble, creating_files},
    {mess_file_trouble, creating_files},
    {intd_file_trouble, creating_files},
    {todo_file_trouble, creating_files},
    {server_refused_for_now, "Zmail server temporarily rejected message (#4.3.0)"},
    {connection_timed_out, "Zconnection to mail server timed out (#4.4.1)"},
    {connection_refused, "Zconnection to mail server rejected (#4.4.1)"},
    {communication_failed, "Zcommunication with mail server failed (#4.4.2)"},
    {internal_bug, bug_text},
    {bad_envelope, bug_text},
    {address_too_long_too, too_long},
    {exec_failed, "Zunable to exec qq (#4.3.0)"},
}};
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

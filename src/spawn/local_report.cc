#include "spawn/local_report.h"

#include "posix/program.h"

namespace postern::spawning {
namespace {

constexpr std::string_view too_long_text = "\nError report too long, sorry.\n";
// qmail keeps three bytes for the delivery number, the letter and the NUL.
constexpr std::size_t kept_of_too_long = most_local_output - too_long_text.size() - 3;

char verdict_letter(int code) {
  switch (code) {
    case 0:
      return 'K';
    case exit_code::temporary:
    case 71:  // EX_OSERR
    case 74:  // EX_IOERR
    case 75:  // EX_TEMPFAIL
      return 'Z';
    default:
      return 'D';
  }
}

}  // namespace

std::optional<std::string_view> local_exit_report(int code) {
  switch (static_cast<LocalExit>(code)) {
    case LocalExit::bug:
    case LocalExit::misused:
      return "ZInternal qmail-lspawn bug.\n";
    case LocalExit::would_be_root:
      return "ZNot allowed to perform deliveries as root.\n";
    case LocalExit::file_server_trouble:
      return "ZNFS failure in qmail-local.\n";
    case LocalExit::no_alias_user:
      return "ZUnable to find alias user!\n";
    case LocalExit::users_cdb_trouble:
      return "ZTrouble reading users/cdb in qmail-lspawn.\n";
    case LocalExit::system_trouble:
      return "ZTemporary failure in qmail-lspawn.\n";
    case LocalExit::out_of_memory:
      return "ZOut of memory in qmail-lspawn.\n";
    case LocalExit::exec_failed:
    case LocalExit::not_loaded:
      return "ZUnable to run qmail-local.\n";
    case LocalExit::exec_getpw_failed:
      return "ZUnable to run qmail-getpw.\n";
    case LocalExit::exec_failed_for_good:
      return "DUnable to run qmail-local.\n";
  }
  return std::nullopt;
}

std::string format_local_report(const Finished& finished) {
  if (finished.status.crashed()) return "Zqmail-local crashed.\n";
  const int code = finished.status.code();
  if (const auto text = local_exit_report(code)) return std::string(*text);
  std::string output = finished.output;
  if (finished.too_long) {
    output.resize(std::min(output.size(), kept_of_too_long));
    output += too_long_text;
  }
  return verdict_letter(code) + output.substr(0, output.find('\0'));
}

std::string format_lookup_failure(const ExitStatus& status) {
  const auto other = local_exit_report(exit_with(LocalExit::system_trouble));
  if (status.crashed()) return std::string(*other);
  return std::string(local_exit_report(status.code()).value_or(*other));
}

}  // namespace postern::spawning

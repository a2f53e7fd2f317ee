#include "admin/rule_checks.h"

#include <algorithm>
#include <string_view>

#include "posix/files.h"

namespace postern::admin {
namespace {

constexpr std::size_t most_rules_bytes = 64 << 20;

// "address:allow,VARIABLE=value...": no address is everybody, and "=" is everybody with a name.
// An address may hold colons.
bool lets_everybody_relay(std::string_view rule) {
  const std::size_t end = rule.find(":allow");
  if (end == std::string_view::npos || rule.front() == '#') return false;
  const std::string_view address = rule.substr(0, end);
  return (address.empty() || address == "=") && rule.substr(end).contains(",RELAYCLIENT=");
}

}  // namespace

std::vector<std::string> check_connection_rules(const std::string& path) {
  std::vector<std::string> warnings;
  const auto text = read_file(path, most_rules_bytes);
  if (!text) return warnings;
  std::string_view rest = *text;
  for (std::size_t number = 1; !rest.empty(); ++number) {
    const std::string_view rule = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rule.size() + 1, rest.size()));
    if (!lets_everybody_relay(rule)) continue;
    warnings.push_back(path + " line " + std::to_string(number) +
                       " sets RELAYCLIENT for everybody: strangers may send through this host to "
                       "anybody. Remove it there, and run qmailctl cdb.");
  }
  const auto source = stat_file(path);
  const auto compiled = stat_file(path + ".cdb");
  if (source && (!compiled || source->st_mtime > compiled->st_mtime)) {
    warnings.push_back(path + " is newer than its compiled form: run qmailctl cdb.");
  }
  return warnings;
}

}  // namespace postern::admin

#include "admin/more_hosts.h"

#include <algorithm>

#include "base/ascii.h"
#include "control/cdb.h"
#include "control/read.h"
#include "posix/files.h"

namespace postern::admin {
namespace {

constexpr const char* text_file = "control/morercpthosts";
constexpr const char* cdb_file = "control/morercpthosts.cdb";

// Why no host can match the line; empty where one can.
std::string_view fault_in(std::string_view line) {
  if (line.ends_with('\r')) return "the line ends in CR LF: write it with LF alone";
  if (line.contains('\0')) return "a NUL byte";
  if (line.contains('@')) return "an address: leave out what is before the '@', and the '@'";
  if (line.find_first_of(" \t") != std::string_view::npos) return "a blank: one host a line";
  if (line.contains(':')) return "a colon: a host stands alone here";
  return {};
}

}  // namespace

std::expected<std::vector<std::string>, std::string> parse_more_hosts(std::string_view text) {
  std::vector<std::string> hosts;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::string_view whole = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), whole.size() + 1));
    const std::string_view line = trim_end(whole);
    if (line.empty() || line.front() == '#') continue;
    if (const auto fault = fault_in(line); !fault.empty()) {
      return std::unexpected("line " + std::to_string(number) + ": " + std::string(fault));
    }
    hosts.push_back(lower(line));
  }
  return hosts;
}

Status make_more_hosts_cdb() {
  const auto text = read_file(text_file, control::most_control_bytes);
  if (!text) return std::unexpected(text.error());
  const auto hosts = parse_more_hosts(*text);
  if (!hosts) return failure(std::string(text_file) + ", " + hosts.error());
  // qmail-smtpd, which reads it, is none of root's.
  auto cdb = control::CdbWriter::create(cdb_file, "control/morercpthosts.tmp", 0644);
  if (!cdb) return std::unexpected(cdb.error());
  for (const auto& host : *hosts) {
    if (auto added = cdb->add(host, ""); !added) return added;
  }
  return cdb->commit();
}

}  // namespace postern::admin

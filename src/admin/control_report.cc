#include "admin/control_report.h"

#include "base/ascii.h"
#include "control/read.h"
#include "posix/identity.h"
#include "wire/delivery_order.h"
#include "wire/home.h"
#include "wire/queue_names.h"

namespace postern::admin {
namespace {

using control::Default;
using control::Kind;
using control::Spec;

constexpr std::string_view default_mark = "(Default.) ";

// Who reads it and what it is for, as the end of a report's first line.
std::string explain(const Spec& spec) {
  return " Read by " + std::string(spec.readers) + ". " + std::string(spec.meaning) + "\n";
}

std::string with_unit(std::string_view value, const Spec& spec) {
  std::string text(value);
  if (!spec.unit.empty()) text.append(" ").append(spec.unit);
  return text;
}

// A route's credentials are nobody's business but the relay's.
std::string without_password(std::string_view line) {
  const std::size_t colon = line.find(':');
  const std::size_t end = line.find_first_of("| \t", colon == std::string_view::npos ? 0 : colon);
  if (end == std::string_view::npos) return std::string(line);
  return std::string(line.substr(0, end)) + " (with credentials)";
}

bool holds_passwords(const Spec& spec) {
  return spec.file == "smtproutes" || spec.file == "authsenders";
}

Result<std::string> report_line(const Spec& spec) {
  const auto line = control::read_line_file(spec);
  if (!line) return std::unexpected(line.error());
  if (!*line && spec.otherwise == Default::none) return std::string("(Default.) none.");
  // As its readers see it: where a host name must stand, something else is an error.
  const auto value = control::read_line(spec);
  if (!value) return std::unexpected(value.error());
  return std::string(*line ? "" : default_mark) + *value + ".";
}

Result<std::string> report_number(const Spec& spec) {
  const auto number = control::read_number_file(spec);
  if (!number) return std::unexpected(number.error());
  if (*number) return with_unit(std::to_string(**number), spec) + ".";
  if (spec.otherwise == Default::none) return std::string("(Default.) none.");
  return std::string(default_mark) + with_unit(spec.literal, spec) + ".";
}

Result<std::string> report_cdb(const Spec& spec) {
  const auto present = control::is_present(spec);
  if (!present) return std::unexpected(present.error());
  return std::string(*present ? "compiled." : "(Default.) none.");
}

Result<std::string> report_list(const Spec& spec, std::string& entries) {
  const auto lines = control::read_list_file(spec);
  if (!lines) return std::unexpected(lines.error());
  if (!*lines) {
    if (spec.otherwise == Default::none) return std::string("(Default.) none.");
    return report_line(spec);
  }
  for (const auto& line : **lines) {
    entries += "    " + (holds_passwords(spec) ? without_password(line) : line) + "\n";
  }
  const std::size_t count = (**lines).size();
  return std::to_string(count) + (count == 1 ? " entry." : " entries.");
}

}  // namespace

Result<std::string> report_control_file(const Spec& spec) {
  std::string entries;
  const auto value = [&]() -> Result<std::string> {
    switch (spec.kind) {
      case Kind::line:
        return report_line(spec);
      case Kind::number:
        return report_number(spec);
      case Kind::cdb:
        return report_cdb(spec);
      case Kind::list:
      case Kind::map:
        return report_list(spec, entries);
    }
    bug("unknown kind of control file");
  }();
  if (!value) return std::unexpected(value.error());
  return std::string(spec.file) + ": " + *value + explain(spec) + entries;
}

std::string report_build() {
  std::string text = "qmail home directory: " + wire::home() + ".\n";
  text += "subdirectory split: " + std::to_string(wire::queue_split) + ".\n";
  text += "silent concurrency limit: " + std::to_string(wire::spawn_limit) + ".\n";
  const auto ids = read_suite_ids();
  if (!ids) return text + "user and group ids: " + describe(ids.error()) + ".\n";
  text += "user ids:";
  for (const uid_t uid :
       {ids->alias, ids->daemon, ids->log, ids->password, ids->queue, ids->remote, ids->send}) {
    text += " " + std::to_string(uid);
  }
  text += " (alias qmaild qmaill qmailp qmailq qmailr qmails).\n";
  text += "group ids: " + std::to_string(ids->nofiles) + " " + std::to_string(ids->qmail) +
          " (nofiles qmail).\n";
  return text;
}

}  // namespace postern::admin

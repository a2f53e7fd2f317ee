#include "smtpd/spp_config.h"

#include <cerrno>
#include <optional>

#include "base/ascii.h"
#include "base/sanitize.h"
#include "control/read.h"
#include "posix/environment.h"

namespace postern::smtpd {
namespace {

constexpr std::array<std::string_view, spp_event_count> section_names = {
    "[connection]", "[helo]", "[mail]", "[rcpt]", "[data]", "[auth]"};

std::string in_file(std::string_view file, std::string_view line) {
  return std::string(file) + " holds \"" + sanitize_for_log(line) + "\"";
}

std::optional<std::size_t> find_section(std::string_view line) {
  const auto* found = std::ranges::find_if(
      section_names, [&](std::string_view name) { return equal_ignoring_case(name, line); });
  if (found == section_names.end()) return std::nullopt;
  return found - section_names.begin();
}

}  // namespace

Result<SppConfig> parse_spp_config(const std::vector<std::string>& lines, std::string_view file) {
  SppConfig config;
  std::optional<std::size_t> section;
  for (const std::string& line : lines) {
    if (line.starts_with('[')) {
      section = find_section(line);
      if (!section) {
        return failure(
            in_file(file, line) +
            ": the sections are [connection], [helo], [mail], [rcpt], [data] and [auth]");
      }
    } else if (!section) {
      return failure(in_file(file, line) + " before the first section: write [rcpt], or where it " +
                     "belongs, above it");
    } else if (line == ":" || line.contains('\0')) {
      return failure(in_file(file, line) + ": write a program's path there, or : and a command");
    } else {
      config.plugins[*section].push_back(line);
    }
  }
  return config;
}

Result<SppConfig> read_spp_config() {
  if (!environment_variable("ENABLE_SPP") || environment_variable("NOSPP")) return SppConfig{};
  std::string file = environment_variable("SPPCONFFILE").value_or("");
  if (file.empty()) file = control::path_of(control::FileName("smtpplugins").spec());
  const auto lines = control::read_list_at(file);
  if (!lines) return std::unexpected(lines.error());
  if (!*lines) {
    return failure(
        "$ENABLE_SPP is set, and there is no " + file + ": name the plugins there, or unset it",
        ENOENT);
  }
  return parse_spp_config(**lines, file);
}

}  // namespace postern::smtpd

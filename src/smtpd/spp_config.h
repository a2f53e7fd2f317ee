// Which plugins qmail-smtpd runs at which point of a session: $ENABLE_SPP, $SPPCONFFILE and
// control/smtpplugins, as qmail-spp has them. Described in docs/wire/spp.md.
#pragma once

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace postern::smtpd {

/// What plugins are asked about. The names of the sections, in this order, are in spp_config.cc.
enum class SppEvent { connection, helo, mail, rcpt, data, auth };
inline constexpr std::size_t spp_event_count = 6;

struct SppConfig {
  /// Of each section, in their order: a path, or ':' and a command for /bin/sh.
  std::array<std::vector<std::string>, spp_event_count> plugins;

  [[nodiscard]] const std::vector<std::string>& of(SppEvent event) const {
    return plugins[static_cast<std::size_t>(event)];
  }
  [[nodiscard]] bool empty() const {
    return std::ranges::all_of(plugins, [](const auto& section) { return section.empty(); });
  }
};

/// The lines of a configuration file without its comments. Error: an unknown section, or a plugin
/// before the first section; `file` is for its text.
Result<SppConfig> parse_spp_config(const std::vector<std::string>& lines, std::string_view file);

/// Nothing without $ENABLE_SPP, or with $NOSPP; else $SPPCONFFILE, else control/smtpplugins, which
/// must be there. The qmail home is the current directory.
Result<SppConfig> read_spp_config();

}  // namespace postern::smtpd

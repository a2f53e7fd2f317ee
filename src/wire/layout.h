// scripts/layout as values: every path that Postern puts on a machine, with owner, group and mode.
// The text is compiled in, so that what is checked later is what was installed.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace postern::wire {

struct LayoutEntry {
  enum class Kind { directory, file, fifo, program, link };

  Kind kind = Kind::directory;
  std::string owner{};
  std::string group{};
  mode_t mode = 0;
  std::string path{};          // absolute
  bool needed = true;          // false: may be absent
  std::uint64_t size = 0;      // of a file, in bytes, when it is made
  std::string target{};        // of a link
  bool is_split_part = false;  // one of the numbered directories of mess, info, local, remote

  bool operator==(const LayoutEntry&) const = default;
};

/// scripts/layout, as it was when this was built.
extern const std::string_view layout_text;

/// Its lines, those that stand for several paths spread out; parents before what is in them.
/// `home` is put before paths that do not begin with '/'. Error: the line that makes no sense.
Result<std::vector<LayoutEntry>> parse_layout(std::string_view text, const std::string& home);

/// parse_layout(layout_text, home), which a test keeps from failing.
std::vector<LayoutEntry> installed_layout(const std::string& home);

}  // namespace postern::wire

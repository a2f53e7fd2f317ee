// How a delivery fails: the exit code qmail-lspawn acts on, and the line it reports.
#pragma once

#include <expected>
#include <string>

#include "base/error.h"
#include "posix/program.h"

namespace postern::local {

struct Failure {
  int code = exit_code::temporary;
  std::string text;  // without a line end; may be empty where a program has already said why

  bool operator==(const Failure&) const = default;
};
using Outcome = std::expected<void, Failure>;

inline std::unexpected<Failure> defer(std::string text) {
  return std::unexpected(Failure{exit_code::temporary, std::move(text)});
}
inline std::unexpected<Failure> bounce(std::string text) {
  return std::unexpected(Failure{exit_code::permanent, std::move(text)});
}
/// "Unable to open .qmail: Permission denied. (#4.3.0)": verb, object, reason, status.
std::unexpected<Failure> defer_for(std::string_view what, int code,
                                   std::string_view status = "(#4.3.0)");

}  // namespace postern::local

// Reading control files, each as its kind in control/table.h says. Paths are relative to the qmail
// home, which must be the current directory. Lines are read as qmail reads them: blanks, tabs and
// line feeds at the end do not count. A carriage return there is an error.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "control/host_map.h"
#include "control/table.h"

namespace postern::control {

/// A control file larger than this is an error, in bytes.
inline constexpr std::size_t most_control_bytes = 64 << 20;

/// "control/<file>".
std::string path_of(const Spec& spec);

// The untyped readers that read<>() chooses from. An absent file is nothing; an unreadable one, or
// a value that makes no sense, is an Error that names the file, the value and the mend.
Result<std::optional<std::string>> read_line_file(const Spec& spec);
Result<std::optional<std::uint64_t>> read_number_file(const Spec& spec);
Result<std::optional<std::vector<std::string>>> read_list_file(const Spec& spec);
/// As read_list_file(), for a file that some variable names in a control file's place.
Result<std::optional<std::vector<std::string>>> read_list_at(const std::string& path);

/// control/me, whose absence is an error for whoever needs it.
Result<std::string> read_me();

/// A line file with its default. Error: a file for a host name that does not hold one. qmail's
/// fallback where control/me is absent too: the literal name of the file, for those qmail uses it
/// for; Error for locals, smtpgreeting and helohost.
Result<std::string> read_line(const Spec& spec);
Result<std::uint64_t> read_number(const Spec& spec);
Result<std::vector<std::string>> read_list(const Spec& spec);
Result<HostMap> read_map(const Spec& spec);

template <Kind kind>
struct Reader;
template <>
struct Reader<Kind::line> {
  static Result<std::string> read(const Spec& spec) { return read_line(spec); }
};
template <>
struct Reader<Kind::number> {
  static Result<std::uint64_t> read(const Spec& spec) { return read_number(spec); }
};
template <>
struct Reader<Kind::list> {
  static Result<std::vector<std::string>> read(const Spec& spec) { return read_list(spec); }
};
template <>
struct Reader<Kind::map> {
  static Result<HostMap> read(const Spec& spec) { return read_map(spec); }
};

/// A control file's value or its default: std::string, std::uint64_t, std::vector<std::string> or
/// HostMap, as the table says. read<"databytes">() is a number; read<"databyte">() does not
/// compile.
template <FileName name>
auto read() {
  return Reader<name.spec().kind>::read(name.spec());
}

/// Whether the file is there at all: rcpthosts and morercpthosts mean something by being absent.
Result<bool> is_present(const Spec& spec);

}  // namespace postern::control

// users/cdb, compiled from users/assign by qmail-newu: which user a local address belongs to.
// qmail-getpw answers the same question in the same form. Described in docs/wire/users.md.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>

namespace postern::wire {

/// Who receives the mail of a local address, and how qmail-local is told.
struct LocalUser {
  std::string user;
  uid_t uid = 0;
  gid_t gid = 0;
  std::string home;
  std::string dash;       // "" or "-": what stands between ".qmail" and the extension
  std::string extension;  // the rest of the address

  bool operator==(const LocalUser&) const = default;
};

/// A value of users/cdb: "joe\0" "1000\0" "1000\0" "/home/joe\0" "-\0" "ext".
std::string format_local_user(const LocalUser& user);
/// Reads that, or what qmail-getpw prints, which has a final NUL. Nothing: a field is missing or
/// left over, or an id is not a number that a user can have (4294967295 means "no change" to the
/// kernel, and would leave root where it is).
std::optional<LocalUser> parse_local_user(std::string_view bytes);

/// The key of an address that is assigned as a whole: "!joe\0", lower-case.
std::string exact_user_key(std::string_view local);
/// The key of all addresses that begin with a prefix: "!joe-", lower-case.
std::string wildcard_user_key(std::string_view prefix);
/// The key whose value holds, once each, the last characters of all wildcard prefixes, so that a
/// look-up tries only the lengths that can match.
inline constexpr std::string_view wildcard_ends_key = "";

}  // namespace postern::wire

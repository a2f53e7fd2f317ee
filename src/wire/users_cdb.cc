#include "wire/users_cdb.h"

#include <array>

#include "base/ascii.h"
#include "base/integers.h"

namespace postern::wire {
namespace {

constexpr std::size_t field_count = 6;

// The first fields end in a NUL each; the last ends where the bytes do, or in one more NUL.
std::optional<std::array<std::string_view, field_count>> split_fields(std::string_view bytes) {
  std::array<std::string_view, field_count> fields;
  for (std::size_t i = 0; i + 1 < field_count; ++i) {
    const std::size_t end = bytes.find('\0');
    if (end == std::string_view::npos) return std::nullopt;
    fields[i] = bytes.substr(0, end);
    bytes.remove_prefix(end + 1);
  }
  if (bytes.ends_with('\0')) bytes.remove_suffix(1);
  if (bytes.contains('\0')) return std::nullopt;
  fields.back() = bytes;
  return fields;
}

template <class Id>
std::optional<Id> parse_id(std::string_view text) {
  const auto id = parse_decimal<Id>(text);
  if (id == static_cast<Id>(-1)) return std::nullopt;
  return id;
}

}  // namespace

std::string format_local_user(const LocalUser& user) {
  std::string bytes;
  for (const auto& field :
       {user.user, std::to_string(user.uid), std::to_string(user.gid), user.home, user.dash}) {
    bytes += field;
    bytes += '\0';
  }
  return bytes + user.extension;
}

std::optional<LocalUser> parse_local_user(std::string_view bytes) {
  const auto fields = split_fields(bytes);
  if (!fields) return std::nullopt;
  const auto& [user, uid_text, gid_text, home, dash, extension] = *fields;
  const auto uid = parse_id<uid_t>(uid_text);
  const auto gid = parse_id<gid_t>(gid_text);
  if (!uid || !gid) return std::nullopt;
  return LocalUser{std::string(user),     *uid, *gid, std::string(home), std::string(dash),
                   std::string(extension)};
}

std::string exact_user_key(std::string_view local) { return wildcard_user_key(local) + '\0'; }

std::string wildcard_user_key(std::string_view prefix) { return "!" + lower(prefix); }

}  // namespace postern::wire

// users/assign, the text from which qmail-newu makes users/cdb. Format: docs/wire/users.md.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace postern::spawning {

/// A record of users/cdb.
struct AssignRecord {
  std::string key;
  std::string value;

  bool operator==(const AssignRecord&) const = default;
};

struct AssignError {
  std::size_t line = 0;  // from 1
  std::string what;      // "expected 7 colons, found 5"

  bool operator==(const AssignError&) const = default;
};

/// Everything users/cdb has to hold, the record of wire::wildcard_ends_key last. Lines are
/// "=LOCAL:USER:UID:GID:HOME:DASH:EXT:" or "+PREFIX:...", and one that begins with '.' ends the
/// text. Error: the first line that is wrong, or a text that is cut off.
std::expected<std::vector<AssignRecord>, AssignError> parse_assign(std::string_view text);

/// qmail-newu: makes users/cdb from users/assign, in the current directory; at once and durably, or
/// not at all. The Error's `what` names the file, the line and what is wrong with it.
Status make_users_cdb();

}  // namespace postern::spawning

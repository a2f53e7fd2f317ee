// qmail-pw2u: users/assign made from a password file, by the rules of qmail-getpw and those that an
// administrator sets in users/. What qmail-newu then does with it: spawn/assign.h.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace postern::spawning {

struct AssignOptions {
  enum class Homes {
    skip_absent,  // -o: a user whose home is not there gets no mail
    need,         // -h: a home that is not there ends it
    ignore,       // -H: homes are not looked at
  };
  Homes homes = Homes::skip_absent;
  bool upper_case = false;  // -u: users with capital letters too
  std::string dash = "-";   // -/: "-/", so that extensions are files in a directory .qmail-
  std::string break_character = "-";  // -c; empty with -C: no extensions
};
/// Nothing: used wrongly.
std::optional<AssignOptions> parse_assign_options(std::span<char* const> arguments);

/// The administrator's files in users/.
struct AssignRules {
  std::optional<std::set<std::string>> include;  // these users alone
  std::set<std::string> exclude;
  std::map<std::string, std::vector<std::string>> mail_names;  // instead of the user's name
  std::string sub_users;  // the file: lines "address:user:extension:..."
  std::string append;     // lines of users/assign to come last
};
/// From the current directory, the qmail home. A file that is absent says nothing.
Result<AssignRules> read_assign_rules();

/// Whose the directory is; nothing where there is none.
using FindOwner = std::function<Result<std::optional<std::uint64_t>>(const std::string& directory)>;

/// The text for users/assign. Error: a line that makes no sense, with its number; no user alias; a
/// home that must be there and is not, or cannot be looked at.
Result<std::string> make_assign(std::string_view passwd, const AssignOptions& options,
                                const AssignRules& rules, const FindOwner& owner_of);

/// The program: a password file on descriptor 0, users/assign on descriptor 1.
int run_pw2u(std::span<char* const> arguments);

}  // namespace postern::spawning

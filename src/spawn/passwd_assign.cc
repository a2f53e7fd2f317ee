#include "spawn/passwd_assign.h"

#include <sys/stat.h>

#include <algorithm>

#include "base/ascii.h"
#include "base/integers.h"
#include "posix/files.h"
#include "posix/io.h"
#include "posix/program.h"
#include "spawn/assign.h"
#include "wire/home.h"

namespace postern::spawning {
namespace {

constexpr std::size_t most_bytes = std::size_t{256} << 20;
constexpr std::string_view alias_user = "alias";
constexpr std::size_t passwd_fields = 6;  // the shell, behind the sixth colon, does not matter

std::vector<std::string> split(std::string_view line, char at) {
  std::vector<std::string> parts;
  for (;;) {
    const std::size_t end = line.find(at);
    parts.emplace_back(line.substr(0, end));
    if (end == std::string_view::npos) return parts;
    line.remove_prefix(end + 1);
  }
}

// Every line with its number, but for empty ones and comments.
Status for_each_line(std::string_view text,
                     const std::function<Status(std::size_t, std::string_view)>& take) {
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    if (line.empty() || line.front() == '#') continue;
    if (auto taken = take(number, line); !taken) return taken;
  }
  return {};
}

std::unexpected<Error> bad_line(std::string_view file, std::size_t number, std::string_view what) {
  return failure(std::string(file) + ", line " + std::to_string(number) + ": " + std::string(what));
}

struct Account {
  std::string name;
  std::uint64_t uid = 0;
  std::string tail;  // ":user:uid:gid:home:"
  std::string home;
};

class Maker {
 public:
  Maker(const AssignOptions& options, const AssignRules& rules, const FindOwner& owner_of)
      : options_(options), rules_(rules), owner_of_(owner_of) {}
  Result<std::string> make(std::string_view passwd);

 private:
  Status add_account(std::size_t number, std::string_view line);
  [[nodiscard]] bool is_wanted(const Account& account) const;
  [[nodiscard]] Result<bool> has_home(const Account& account) const;
  Status add_sub_user(std::size_t number, std::string_view line);
  void add_address(const std::string& address, const std::string& tail);
  void add(std::string_view text) { text_.append(text); }

  const AssignOptions& options_;
  const AssignRules& rules_;
  const FindOwner& owner_of_;
  std::string text_;
  std::map<std::string, std::string> tails_;  // of the users that were taken
};

Result<std::string> Maker::make(std::string_view passwd) {
  auto done = for_each_line(passwd, [this](std::size_t number, std::string_view line) {
    return add_account(number, line);
  });
  if (!done) return std::unexpected(done.error());
  if (!tails_.contains(std::string(alias_user))) {
    return failure("unable to find the user alias, to whom all other addresses belong");
  }
  done = for_each_line(rules_.sub_users, [this](std::size_t number, std::string_view line) {
    return add_sub_user(number, line);
  });
  if (!done) return std::unexpected(done.error());
  add(rules_.append);
  if (!text_.ends_with('\n')) add("\n");
  add(".\n");
  // What qmail-newu would refuse is not given to it; users/append can hold anything.
  if (const auto parsed = parse_assign(text_); !parsed) {
    return failure("users/append makes no sense: line " + std::to_string(parsed.error().line) +
                   " of the outcome: " + parsed.error().what);
  }
  return std::move(text_);
}

Status Maker::add_account(std::size_t number, std::string_view line) {
  const auto fields = split(line, ':');
  if (line.contains('\0')) return bad_line("the password file", number, "a NUL byte");
  if (line.starts_with('+') || line.starts_with('-')) return {};  // NIS, which getent resolves
  if (fields.size() <= passwd_fields) {
    return bad_line("the password file", number,
                    "expected 6 colons, found " + std::to_string(fields.size() - 1));
  }
  const auto uid = parse_decimal<std::uint32_t>(fields[2]);
  const auto gid = parse_decimal<std::uint32_t>(fields[3]);
  if (fields[0].empty() || !uid || !gid) {
    return bad_line("the password file", number, "no user name, or a uid or gid that is no number");
  }
  Account account{fields[0], *uid, {}, fields[5]};
  account.tail = ":" + fields[0] + ":" + fields[2] + ":" + fields[3] + ":" + fields[5] + ":";
  if (!is_wanted(account)) return {};
  const auto home = has_home(account);
  if (!home) return std::unexpected(home.error());
  if (!*home) return {};
  tails_.insert_or_assign(account.name, account.tail);
  if (account.name == alias_user) add("+" + account.tail + options_.dash + "::\n");
  const auto names = rules_.mail_names.find(account.name);
  if (names == rules_.mail_names.end()) {
    add_address(account.name, account.tail);
  } else {
    for (const auto& name : names->second) add_address(name, account.tail);
  }
  return {};
}

bool Maker::is_wanted(const Account& account) const {
  if (account.uid == 0) return false;
  const bool has_capitals = lower(account.name) != account.name;
  if (has_capitals && !options_.upper_case) return false;
  if (rules_.include && !rules_.include->contains(account.name)) return false;
  return !rules_.exclude.contains(account.name);
}

Result<bool> Maker::has_home(const Account& account) const {
  // qmail-newu would refuse the whole file for it.
  if (!account.home.starts_with('/')) return false;
  if (options_.homes == AssignOptions::Homes::ignore) return true;
  const auto owner = owner_of_(account.home);
  if (!owner) return std::unexpected(owner.error());
  if (!*owner && options_.homes == AssignOptions::Homes::need) {
    return failure("the home directory " + account.home + " of " + account.name +
                   " is not there: make it, or leave -h out");
  }
  return *owner && **owner == account.uid;
}

Status Maker::add_sub_user(std::size_t number, std::string_view line) {
  const auto fields = split(line, ':');
  if (fields.size() < 4 || fields[0].empty()) {
    return bad_line("users/subusers", number, "expected address:user:extension:");
  }
  const auto tail = tails_.find(fields[1]);
  if (tail == tails_.end()) {
    return bad_line("users/subusers", number, "there is no user " + fields[1] + " in the outcome");
  }
  add("=" + fields[0] + tail->second + options_.dash + ":" + fields[2] + ":\n");
  if (options_.break_character.empty()) return {};
  add("+" + fields[0] + options_.break_character + tail->second + options_.dash + ":" + fields[2] +
      "-:\n");
  return {};
}

void Maker::add_address(const std::string& address, const std::string& tail) {
  if (address.empty()) return;
  add("=" + address + tail + "::\n");
  if (options_.break_character.empty()) return;
  add("+" + address + options_.break_character + tail + options_.dash + "::\n");
}

Result<std::optional<std::string>> read_rules_file(const char* file) {
  auto text = read_file(std::string("users/") + file, most_bytes);
  if (text) return std::move(*text);
  if (text.error().code == ENOENT) return std::nullopt;
  return std::unexpected(text.error());
}

std::set<std::string> names_of(const std::string& text) {
  std::set<std::string> names;
  (void)for_each_line(text, [&](std::size_t, std::string_view line) -> Status {
    names.insert(std::string(trim_end(line)));
    return {};
  });
  return names;
}

Status parse_mail_names(const std::string& text, AssignRules& rules) {
  return for_each_line(text, [&](std::size_t number, std::string_view line) -> Status {
    auto names = split(trim_end(line), ':');
    if (names.size() < 2 || names.front().empty()) {
      return bad_line("users/mailnames", number, "expected user:mailname:...");
    }
    const std::string user = names.front();
    names.erase(names.begin());
    rules.mail_names.insert_or_assign(user, names);
    return {};
  });
}

Result<std::optional<std::uint64_t>> find_owner(const std::string& directory) {
  const auto info = stat_file(directory);
  if (info) return info->st_uid;
  if (info.error().code == ENOENT) return std::nullopt;
  return std::unexpected(info.error());
}

}  // namespace

std::optional<AssignOptions> parse_assign_options(std::span<char* const> arguments) {
  using Homes = AssignOptions::Homes;
  AssignOptions options;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    std::string_view letters = arguments[i];
    if (letters.size() < 2 || letters.front() != '-') return std::nullopt;
    for (letters.remove_prefix(1); !letters.empty(); letters.remove_prefix(1)) {
      switch (letters.front()) {
        case '/':
          options.dash = "-/";
          break;
        case 'o':
          options.homes = Homes::skip_absent;
          break;
        case 'h':
          options.homes = Homes::need;
          break;
        case 'H':
          options.homes = Homes::ignore;
          break;
        case 'u':
          options.upper_case = true;
          break;
        case 'U':
          options.upper_case = false;
          break;
        case 'C':
          options.break_character.clear();
          break;
        case 'c':
          // The character stands right behind, or is the next argument.
          letters.remove_prefix(1);
          if (letters.empty() && i + 1 < arguments.size()) letters = arguments[++i];
          if (letters.size() != 1 || letters == ":") return std::nullopt;
          options.break_character = letters;
          break;
        default:
          return std::nullopt;
      }
    }
  }
  return options;
}

Result<AssignRules> read_assign_rules() {
  AssignRules rules;
  for (const char* file : {"include", "exclude", "mailnames", "subusers", "append"}) {
    auto text = read_rules_file(file);
    if (!text) return std::unexpected(text.error());
    if (!*text) continue;
    const std::string_view name = file;
    if (name == "include") {
      rules.include = names_of(**text);
    } else if (name == "exclude") {
      rules.exclude = names_of(**text);
    } else if (name == "subusers") {
      rules.sub_users = std::move(**text);
    } else if (name == "append") {
      rules.append = std::move(**text);
    } else if (auto parsed = parse_mail_names(**text, rules); !parsed) {
      return std::unexpected(parsed.error());
    }
  }
  return rules;
}

Result<std::string> make_assign(std::string_view passwd, const AssignOptions& options,
                                const AssignRules& rules, const FindOwner& owner_of) {
  return Maker(options, rules, owner_of).make(passwd);
}

int run_pw2u(std::span<char* const> arguments) {
  const auto options = parse_assign_options(arguments);
  if (!options) die(exit_code::permanent, "usage: qmail-pw2u [ -/ohHuUC ] [ -c character ]");
  if (const auto done = change_directory(wire::home()); !done) {
    die(exit_code::temporary, done.error());
  }
  const auto rules = read_assign_rules();
  if (!rules) die(exit_code::temporary, rules.error());
  const auto passwd = read_to_end(0, most_bytes);
  if (!passwd) die(exit_code::temporary, passwd.error());
  const auto text = make_assign(*passwd, *options, *rules, find_owner);
  if (!text) die(exit_code::temporary, text.error());
  if (const auto done = write_all(1, *text); !done) die(exit_code::temporary, done.error());
  return exit_code::ok;
}

}  // namespace postern::spawning

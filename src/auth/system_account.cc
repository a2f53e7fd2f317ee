#include "auth/system_account.h"

#include <shadow.h>

#include <vector>

#include "auth/password_hash.h"
#include "auth/system_users.h"
#include "posix/clock.h"
#include "posix/files.h"
#include "posix/program.h"

namespace postern::auth {
namespace {

constexpr std::int64_t day = 86400;
constexpr std::size_t most_shadow = 16 << 20;  // bytes of /etc/shadow we are ready to read

// A hash that can match something. "!" before it locks it, "*" stands where none ever was.
bool is_usable(std::string_view hash) {
  return !hash.empty() && hash.front() != '!' && hash.front() != '*' && hash != "x";
}

// The shadow entry of a user; for one whose hash stands in passwd itself, just that.
Result<ShadowEntry> find_shadow(const SystemUser& user) {
  errno = 0;
  const spwd* entry = ::getspnam(user.name.c_str());
  if (entry != nullptr) {
    return ShadowEntry{entry->sp_pwdp, entry->sp_lstchg, entry->sp_max, entry->sp_expire};
  }
  if (user.password != "x") return ShadowEntry{.hash = user.password};
  if (errno == EACCES)
    return failure("unable to read /etc/shadow: run checkpassword as root", errno);
  if (!means_not_found(errno)) return system_failure("unable to look up the shadow entry");
  return ShadowEntry{};
}

Result<std::string> read_decoy() {
  const auto shadow = read_file("/etc/shadow", most_shadow);
  if (!shadow) return std::unexpected(shadow.error());
  return decoy_of_shadow(*shadow);
}

// Only somebody who knows the password learns why it is not enough, and only through our log.
std::optional<Account> admit(const Account& account, Standing standing) {
  switch (standing) {
    case Standing::good:
      return account;
    case Standing::account_expired:
      warn(account.user + ": the account has expired");
      return std::nullopt;
    case Standing::password_expired:
      warn(account.user + ": the password has expired and must be changed");
      return std::nullopt;
    case Standing::locked:
      return std::nullopt;
  }
  bug("unknown standing of an account");
}

}  // namespace

Standing standing_of(const ShadowEntry& entry, std::int64_t today) {
  if (!is_usable(entry.hash)) return Standing::locked;
  if (entry.expires != -1 && today >= entry.expires) return Standing::account_expired;
  if (entry.last_change == 0) return Standing::password_expired;
  if (entry.last_change > 0 && entry.most_age >= 0 && today - entry.last_change > entry.most_age) {
    return Standing::password_expired;
  }
  return Standing::good;
}

std::string decoy_of_shadow(std::string_view shadow) {
  std::vector<std::string> hashes;
  while (!shadow.empty()) {
    const std::size_t end = shadow.find('\n');
    std::string_view line = shadow.substr(0, end);
    shadow.remove_prefix(end == std::string_view::npos ? shadow.size() : end + 1);
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    line.remove_prefix(colon + 1);
    const std::string_view hash = line.substr(0, line.find(':'));
    if (is_usable(hash)) hashes.emplace_back(hash);
  }
  return choose_decoy(hashes);
}

Result<std::optional<Account>> verify_system_user(const wire::CheckRequest& request) {
  const auto decoy = read_decoy();
  if (!decoy) return std::unexpected(decoy.error());
  const auto user = find_system_user(request.user);
  if (!user) return std::unexpected(user.error());
  ShadowEntry entry;
  if (*user) {
    auto found = find_shadow(**user);
    if (!found) return std::unexpected(found.error());
    entry = *std::move(found);
  }
  const Standing standing = standing_of(entry, unix_time() / day);
  std::optional<std::string> hash;
  if (standing != Standing::locked) hash = entry.hash;
  const auto right = is_right_password(request.password, hash, *decoy);
  if (!right) return std::unexpected(right.error());
  if (!*right) return std::nullopt;
  return admit({(*user)->name, (*user)->identity, (*user)->home, (*user)->shell}, standing);
}

}  // namespace postern::auth

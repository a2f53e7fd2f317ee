#include "auth/mail_users_compiler.h"

#include <unistd.h>

#include <unordered_map>
#include <vector>

#include "auth/password_hash.h"
#include "control/cdb.h"
#include "posix/files.h"
#include "posix/program.h"
#include "wire/mailusers.h"

namespace postern::auth {
namespace {

constexpr std::size_t most_text = std::size_t{256} << 20;  // bytes of users/mailusers
constexpr std::size_t most_passwd = std::size_t{16} << 20;
constexpr mode_t secret_mode = 0400;

// Reads the lines into records, with all the checks that need more than the line itself.
class Compiler {
 public:
  explicit Compiler(const FindUser& find_user) : find_user_(find_user) {}

  Status take_text(std::string_view text) {
    while (!text.empty()) {
      const std::size_t end = text.find('\n');
      if (auto taken = take_line(text.substr(0, end)); !taken) return taken;
      text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    }
    return {};
  }

  Status write(control::CdbWriter& file) const {
    const std::string decoy = choose_decoy(hashes_);
    if (!decoy.empty()) {
      const wire::Secret secret{wire::Secret::Scheme::crypt, decoy};
      if (auto added = file.add(wire::decoy_key, wire::format_secret(secret)); !added) return added;
    }
    for (const auto& [key, bytes] : records_) {
      if (auto added = file.add(key, bytes); !added) return added;
    }
    return {};
  }

 private:
  Status take_line(std::string_view text) {
    ++number_;
    const auto line = wire::parse_mail_user_line(text);
    if (!line) return at_line(line.error());
    if (!*line) return {};
    auto taken = take_account(**line);
    return taken ? taken : at_line(taken.error());
  }

  Status take_account(const wire::MailUserLine& line) {
    const std::string key = wire::mail_user_key(line.address);
    if (const auto first = lines_.find(key); first != lines_.end()) {
      return failure(line.address + " is there already, in line " + std::to_string(first->second) +
                     ": keep one of them");
    }
    if (line.secret.scheme == wire::Secret::Scheme::crypt) {
      if (!hash_checker_.is_known(line.secret.text)) {
        return failure(line.address + ": {CRYPT}" + std::string(method_of(line.secret.text)) +
                       "... is no hash that crypt(3) knows: make one with openssl passwd -6");
      }
      hashes_.push_back(line.secret.text);
    }
    const auto user = find_once(line.system_user);
    if (!user) return std::unexpected(user.error());
    lines_.emplace(key, number_);
    records_.emplace_back(
        key, wire::format_mail_user_record(
                 {line.secret, line.system_user, user->uid, user->gid, user->groups, line.home}));
    return {};
  }

  // Thousands of accounts have the same system user.
  Result<Identity> find_once(const std::string& name) {
    if (const auto known = users_.find(name); known != users_.end()) return known->second;
    const auto user = find_user_(name);
    if (!user) return std::unexpected(user.error());
    if (!*user) {
      return failure("there is no system user " + name + ": make one, or name another");
    }
    if ((*user)->identity.uid == 0) {
      return failure("system user " + name + " is root: mail accounts need another user");
    }
    return users_.emplace(name, (*user)->identity).first->second;
  }

  [[nodiscard]] std::unexpected<Error> at_line(const Error& error) const {
    return failure(
        std::string(wire::mail_users_text) + " line " + std::to_string(number_) + ": " + error.what,
        error.code);
  }

  const FindUser& find_user_;
  std::size_t number_ = 0;  // of the line, from 1
  HashChecker hash_checker_;
  std::unordered_map<std::string, std::size_t> lines_;  // by key
  std::unordered_map<std::string, Identity> users_;
  std::vector<std::string> hashes_;
  std::vector<std::pair<std::string, std::string>> records_;
};

// Others could read the secrets that the compiled file hides from them.
void warn_if_readable(const std::string& path) {
  const auto info = stat_file(path);
  if (info && (info->st_mode & 077) != 0) {
    warn(std::string(wire::mail_users_text) + " holds secrets and others may read it: chmod 600 " +
         path);
  }
}

// The user the checker runs as; a user who is not root can only make a file of his own.
Result<std::optional<Identity>> find_checker() {
  if (::geteuid() != 0) return std::nullopt;
  const auto passwd = read_file("/etc/passwd", most_passwd);
  if (!passwd) return std::unexpected(passwd.error());
  auto found = find_local_user(*passwd, "qmaild");
  if (!found) return std::unexpected(found.error());
  return *std::move(found);
}

}  // namespace

Status compile_mail_users(const std::string& qmail_home, const FindUser& find_user,
                          const FindOwner& find_owner) {
  const auto text = read_file(qmail_home + "/" + wire::mail_users_text, most_text);
  if (!text) return std::unexpected(text.error());
  Compiler compiler(find_user);
  if (auto taken = compiler.take_text(*text); !taken) return taken;

  const auto owner = find_owner();
  if (!owner) return std::unexpected(owner.error());
  const std::string path = qmail_home + "/" + wire::mail_users_cdb;
  auto file = control::CdbWriter::create(path, path + ".tmp", secret_mode);
  if (!file) return std::unexpected(file.error());
  if (*owner) {
    if (auto given = file->give_to((*owner)->uid, (*owner)->gid); !given) return given;
  }
  if (auto written = compiler.write(*file); !written) return written;
  return file->commit();
}

Status make_mail_users(const std::string& qmail_home) {
  warn_if_readable(qmail_home + "/" + wire::mail_users_text);
  return compile_mail_users(qmail_home, find_system_user, find_checker);
}

}  // namespace postern::auth

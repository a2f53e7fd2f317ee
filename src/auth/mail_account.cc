#include "auth/mail_account.h"

#include "auth/challenge.h"
#include "auth/password_hash.h"
#include "control/cdb.h"

namespace postern::auth {
namespace {

using wire::Secret;

// Stands for the secret of an account that has no {PLAIN} one; what it answers is not looked at.
constexpr std::string_view no_secret = "no such account";

// Nothing: the request is not an answer to a challenge, or, by its shape, may be a password too.
std::optional<bool> check_challenge(const wire::CheckRequest& request, const Secret* plain) {
  const auto cram = request.cram();
  if (!cram) return std::nullopt;
  const bool right = answers_challenge(plain != nullptr ? plain->text : no_secret, *cram);
  if (right && plain != nullptr) return true;
  // qmail-popup sends a challenge with an ordinary password too, and that may be 32 hex digits.
  if (request.password == cram->digest) return std::nullopt;
  return false;
}

Result<std::optional<std::string>> find_decoy(control::Cdb& accounts) {
  auto found = accounts.find(wire::decoy_key);
  if (!found || !*found) return found;
  const auto secret = wire::parse_secret(**found);
  if (!secret) return std::unexpected(secret.error());
  return secret->text;
}

}  // namespace

Result<bool> proves_secret(const wire::CheckRequest& request, const std::optional<Secret>& secret,
                           const std::string& decoy) {
  const bool is_plain = secret && secret->scheme == Secret::Scheme::plain;
  const auto answered = check_challenge(request, is_plain ? &*secret : nullptr);
  if (answered) return *answered;
  if (is_plain && equal_in_constant_time(secret->text, request.password)) return true;
  // A wrong password for a {PLAIN} account takes as long as one for a {CRYPT} account or none.
  std::optional<std::string> hash;
  if (secret && !is_plain) hash = secret->text;
  return is_right_password(request.password, hash, decoy);
}

Result<std::optional<Account>> verify_mail_user(const std::string& qmail_home,
                                                const wire::CheckRequest& request) {
  auto accounts = control::Cdb::open(qmail_home + "/" + wire::mail_users_cdb);
  if (!accounts) {
    if (accounts.error().code != ENOENT) return std::unexpected(accounts.error());
    return failure(accounts.error().what + ": make it with qmail-newmailusers", ENOENT);
  }
  const auto decoy = find_decoy(*accounts);
  if (!decoy) return std::unexpected(decoy.error());
  const std::string key = wire::mail_user_key(request.user);
  const auto bytes = accounts->find(key);
  if (!bytes) return std::unexpected(bytes.error());

  std::optional<wire::MailUserRecord> record;
  if (*bytes && !key.empty()) {
    auto parsed = wire::parse_mail_user_record(**bytes);
    if (!parsed) return std::unexpected(parsed.error());
    record = *std::move(parsed);
  }
  const auto proved = proves_secret(request, record ? std::optional(record->secret) : std::nullopt,
                                    decoy->value_or(""));
  if (!proved) return std::unexpected(proved.error());
  if (!*proved || !record) return std::nullopt;
  return Account{key, {record->uid, record->gid, record->groups}, record->home, "/bin/sh"};
}

}  // namespace postern::auth

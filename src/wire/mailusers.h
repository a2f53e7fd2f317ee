// Mail-only accounts: the lines of users/mailusers, which people write, and the records of
// users/mailusers.cdb, which qmail-newmailusers makes of them and checkmailuser reads. Described in
// docs/wire/mailusers.md.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace postern::wire {

inline constexpr const char* mail_users_text = "users/mailusers";     // below the qmail home
inline constexpr const char* mail_users_cdb = "users/mailusers.cdb";  // the same, compiled

/// What an account's password is checked against.
struct Secret {
  enum class Scheme {
    crypt,  // "{CRYPT}", then a hash that libcrypt knows
    plain,  // "{PLAIN}", then the password itself, which CRAM-MD5 and APOP need
  };
  Scheme scheme = Scheme::plain;
  std::string text;

  bool operator==(const Secret&) const = default;
};
std::string format_secret(const Secret& secret);
/// Error: an unknown scheme, or nothing after it. Never quotes more of `text` than the scheme.
Result<Secret> parse_secret(std::string_view text);

/// One line of users/mailusers: "address:secret:system-user:home".
struct MailUserLine {
  std::string address;
  Secret secret;
  std::string system_user;  // whose uid and gid the account has
  std::string home;         // where its Maildir is, an absolute path

  bool operator==(const MailUserLine&) const = default;
};
/// Nothing: a blank line or a comment ('#' in the first column). The secret may hold colons: the
/// address ends at the first colon, and the last two colons set off the system user and the home.
/// Error: the field that makes no sense, and the mend; never any part of a secret.
Result<std::optional<MailUserLine>> parse_mail_user_line(std::string_view line);

/// One record of users/mailusers.cdb: "secret\0user\0uid\0gid\0groups\0home", groups separated by
/// commas. The ids are those the system user had when the file was made.
struct MailUserRecord {
  Secret secret;
  std::string system_user;
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups;  // supplementary
  std::string home;

  bool operator==(const MailUserRecord&) const = default;
};
std::string format_mail_user_record(const MailUserRecord& record);
Result<MailUserRecord> parse_mail_user_record(std::string_view bytes);

/// The key of an account: its address without regard to case, as local parts are looked up.
std::string mail_user_key(std::string_view address);

/// The record with the empty key is no account but a secret: a hash of the method most accounts
/// have, for an unknown user's password to be checked against, so that the answer takes as long.
inline constexpr std::string_view decoy_key;

}  // namespace postern::wire

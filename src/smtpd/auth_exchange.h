// One AUTH command's exchange with the client (RFC 4954; PLAIN RFC 4616, CRAM-MD5 RFC 2195, LOGIN
// by custom), without the SMTP around it: from the argument and the lines that follow to
// credentials. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "smtpd/auth_setup.h"

namespace postern::smtpd {

enum class Mechanism { login, plain, cram_md5 };

/// Of the mechanisms that `setup` offers, the one the client has named, in any case.
std::optional<Mechanism> find_mechanism(const AuthSetup& setup, std::string_view name);
std::string_view name_of(Mechanism mechanism);

struct Credentials {
  std::string user;
  std::string secret;     // the password, or CRAM-MD5's digest
  std::string challenge;  // of CRAM-MD5
};

/// The bytes for the checker's descriptor 3, which the two forms order differently.
std::string format_for_checker(const AuthSetup& setup, Mechanism mechanism,
                               const Credentials& credentials);

class AuthExchange {
 public:
  enum class State {
    asking,     // say "334 " and prompt(), and feed the answer
    complete,   // credentials() are there, neither user nor secret empty
    malformed,  // not base64, a NUL where none may be, an empty part
    cancelled,  // the client sent "*"
  };

  /// `challenge` is what CRAM-MD5 asks with: <process.time@host>.
  AuthExchange(Mechanism mechanism, AuthForm form, std::string challenge);

  /// With the initial response, where the client gave one; "=" stands for an empty one.
  State begin(std::optional<std::string_view> initial_response);
  /// A line, without its line end.
  State feed(std::string_view line);

  [[nodiscard]] Mechanism mechanism() const { return mechanism_; }
  /// In base64, as it goes behind "334 ".
  [[nodiscard]] std::string prompt() const;
  [[nodiscard]] const Credentials& credentials() const { return credentials_; }

 private:
  State take(std::string_view response);
  State take_login(std::string_view response);
  State take_plain(std::string_view response);
  State take_cram(std::string_view response);
  State check();

  Mechanism mechanism_;
  AuthForm form_;
  Credentials credentials_;
};

}  // namespace postern::smtpd

// The POP3 dialogue before the login (RFC 1939 section 4): lines in, replies and at last
// credentials out. Reads and writes nothing itself; popup.h does. Described in docs/wire/pop3.md.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace postern::pop3 {

struct LoginReply {
  std::string text{};                        // what the client gets; empty with credentials
  std::optional<std::string> credentials{};  // for the checker's descriptor 3
  bool quit = false;
};

class LoginSession {
 public:
  /// `challenge` is what APOP digests, "<4711.1700000000@mail.example.org>".
  explicit LoginSession(std::string challenge) : challenge_(std::move(challenge)) {}

  [[nodiscard]] std::string greet() const { return "+OK " + challenge_ + "\r\n"; }
  /// A line without its LF. There is one attempt: nothing is fed after credentials.
  LoginReply feed(std::string_view line);

 private:
  LoginReply on_user(std::string_view name);
  LoginReply on_pass(std::string_view password) const;
  LoginReply on_apop(std::string_view argument) const;

  std::string challenge_;
  std::optional<std::string> user_;
};

}  // namespace postern::pop3

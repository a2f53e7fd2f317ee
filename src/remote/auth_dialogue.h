// A login at the server that mail is relayed to (RFC 4954), without any I/O: the server's replies
// go in, the lines to answer come out.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "mail/smtp_reply.h"
#include "remote/auth.h"
#include "remote/route.h"

namespace postern::remote {

class AuthDialogue {
 public:
  AuthDialogue(Credentials credentials, const Extensions& offered)
      : credentials_(std::move(credentials)), offered_(offered) {}

  /// The first line. Nothing: the server offers no mechanism that we know.
  std::optional<std::string> begin();

  enum class Outcome : std::uint8_t { goes_on, logged_in, rejected, malformed };
  struct Step {
    Outcome outcome;
    std::string line{};  // to be sent, if it goes on
    /// What the reply has refused, as a report says it. Not empty where it goes on: another
    /// mechanism is tried, and this stands if the server hangs up now.
    std::string rejection{};
  };
  Step on_reply(const mail::SmtpReply& reply);

 private:
  enum class Awaits : std::uint8_t { go_ahead, password_prompt, verdict };

  std::string begin_with(Mechanism mechanism);
  Step respond(const mail::SmtpReply& reply);
  Step say(std::string line, std::string_view what, Awaits awaits);
  Step reject(const mail::SmtpReply& reply);

  Credentials credentials_;
  Extensions offered_;
  Mechanism mechanism_ = Mechanism::plain;
  std::string said_;  // last, as a report names it
  Awaits awaits_ = Awaits::go_ahead;
};

}  // namespace postern::remote

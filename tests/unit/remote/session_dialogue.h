// A session of qmail-remote that speaks with a server whose words are given.
#pragma once

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "mail/smtp_reply.h"
#include "remote/session.h"
#include "wire/remote_report.h"

namespace postern::remote {

// A session, and what a server says to it.
class Dialogue {
 public:
  explicit Dialogue(Envelope envelope) : session(std::move(envelope), "192.0.2.1") {}

  // Says a reply and returns what the session sends then.
  std::string say(std::string_view replies) {
    while (!replies.empty() && !session.finished()) {
      if (parser_.feed(replies) == mail::SmtpReplyParser::State::complete) {
        session.on_reply(parser_.take_reply());
      }
    }
    if (session.finished() && !stays) session.quit();
    return session.take_output();
  }
  // The message has been sent, and this is the answer.
  std::string answer(std::string_view reply) {
    EXPECT_TRUE(session.wants_message());
    session.message_sent();
    return say(reply);
  }

  Session session;
  bool stays = false;  // no QUIT at the end

 private:
  mail::SmtpReplyParser parser_;
};

inline Envelope envelope(std::vector<std::string> recipients = {"b@y"}) {
  return {"me.example", "a@x", std::move(recipients), std::nullopt, std::nullopt};
}

inline Envelope with_credentials() {
  Envelope result = envelope();
  result.credentials = Credentials{"trottel", "ich"};
  return result;
}

inline std::string record(std::string_view text) {
  return wire::format_remote_record(text.front(), text.substr(1));
}

inline const std::string plain_hello = "250 mail.example\r\n";
inline const std::string pipelining_hello = "250-mail.example\r\n250 PIPELINING\r\n";
inline const std::string accepted = record("r");
inline const std::string first_accepted =
    record("K192.0.2.1 accepted message.\nRemote host said: 250 first\n");
inline const std::string too_many = record(
    "s192.0.2.1 does not like recipient.\nRemote host said: 452 too many\n"
    "Giving up on 192.0.2.1.\n");

// What the session reports when the server's replies end so.
inline std::string report_after(Envelope what, std::string_view replies) {
  Dialogue dialogue(std::move(what));
  dialogue.say(replies);
  return dialogue.session.report();
}

}  // namespace postern::remote

#include "remote/auth_dialogue.h"

#include "base/base64.h"

namespace postern::remote {
namespace {

using mail::SmtpReply;

constexpr int authenticated = 235;
constexpr int auth_continues = 334;
constexpr int password_expired = 432;

// What follows the code in a 334, up to the first blank.
std::string_view challenge_in(const SmtpReply& reply) {
  constexpr std::size_t code_and_blank = 4;
  const std::string_view text = std::string_view(reply.text).substr(code_and_blank);
  return text.substr(0, text.find_first_of(" \n"));
}

}  // namespace

std::optional<std::string> AuthDialogue::begin() {
  if (offered_.cram_md5) return begin_with(Mechanism::cram_md5);
  if (offered_.plain) return begin_with(Mechanism::plain);
  if (offered_.login) return begin_with(Mechanism::login);
  return std::nullopt;
}

std::string AuthDialogue::begin_with(Mechanism mechanism) {
  mechanism_ = mechanism;
  said_ = "AUTH " + std::string(name_of(mechanism));
  awaits_ = Awaits::go_ahead;
  return said_;
}

AuthDialogue::Step AuthDialogue::on_reply(const SmtpReply& reply) {
  const bool continues = reply.code == auth_continues;
  if (awaits_ == Awaits::go_ahead && continues) return respond(reply);
  if (awaits_ == Awaits::password_prompt && continues) {
    return say(format_base64(credentials_.password), "password", Awaits::verdict);
  }
  if (awaits_ == Awaits::verdict && reply.code == authenticated) return {Outcome::logged_in};
  return reject(reply);
}

AuthDialogue::Step AuthDialogue::respond(const SmtpReply& reply) {
  switch (mechanism_) {
    case Mechanism::plain:
      return say(plain_response(credentials_), "plain", Awaits::verdict);
    case Mechanism::login:
      return say(format_base64(credentials_.user), "username", Awaits::password_prompt);
    case Mechanism::cram_md5:
      break;
  }
  const auto challenge = parse_base64(challenge_in(reply));
  if (!challenge) return {Outcome::malformed};
  return say(cram_response(credentials_, *challenge), "username+digest", Awaits::verdict);
}

AuthDialogue::Step AuthDialogue::say(std::string line, std::string_view what, Awaits awaits) {
  said_ = what;
  awaits_ = awaits;
  return {Outcome::goes_on, std::move(line)};
}

// A server may offer CRAM-MD5 and yet hold only hashes of passwords, which CRAM-MD5 cannot be
// checked against: a rejected CRAM-MD5 is followed by PLAIN or LOGIN. These two check the same
// thing, so that one of them is enough.
AuthDialogue::Step AuthDialogue::reject(const SmtpReply& reply) {
  if (reply.code == password_expired) return {Outcome::rejected, {}, "password expired."};
  std::string rejection = "authentication was rejected (" + said_ + ").";
  const bool another = offered_.plain || offered_.login;
  if (mechanism_ != Mechanism::cram_md5 || reply.kind() != 5 || !another) {
    return {Outcome::rejected, {}, std::move(rejection)};
  }
  return {Outcome::goes_on, begin_with(offered_.plain ? Mechanism::plain : Mechanism::login),
          std::move(rejection)};
}

}  // namespace postern::remote

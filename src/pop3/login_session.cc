#include "pop3/login_session.h"

#include "pop3/command.h"
#include "pop3/replies.h"
#include "wire/checkpassword.h"

namespace postern::pop3 {
namespace {

LoginReply refuse(std::string_view text) { return {.text = format_error(text)}; }

}  // namespace

LoginReply LoginSession::feed(std::string_view line) {
  // On descriptor 3 a NUL ends a field: it would move the password into another one's place.
  if (line.contains('\0')) return refuse(reply::syntax);
  const Command command = parse_command(line);
  if (command.is("USER")) return on_user(command.argument);
  if (command.is("PASS")) return on_pass(command.argument);
  if (command.is("APOP")) return on_apop(command.argument);
  if (command.is("CAPA")) return {.text = std::string(reply::capabilities)};
  if (command.is("QUIT")) return {.text = std::string(reply::ok), .quit = true};
  return refuse(reply::login_first);
}

LoginReply LoginSession::on_user(std::string_view name) {
  if (name.empty()) return refuse(reply::syntax);
  user_ = name;
  return {.text = std::string(reply::ok)};
}

// The challenge goes along with a password too, as it always has: it means nothing there.
LoginReply LoginSession::on_pass(std::string_view password) const {
  if (!user_) return refuse(reply::user_first);
  if (password.empty()) return refuse(reply::syntax);
  return {.credentials = wire::format_login(*user_, password, challenge_)};
}

LoginReply LoginSession::on_apop(std::string_view argument) const {
  const std::size_t blank = argument.find(' ');
  if (blank == std::string_view::npos || blank + 1 == argument.size()) return refuse(reply::syntax);
  return {.credentials =
              wire::format_cram(argument.substr(0, blank), challenge_, argument.substr(blank + 1),
                                wire::CramOrder::digest_first)};
}

}  // namespace postern::pop3

#include "pop3/session.h"

#include <algorithm>

#include "base/ascii.h"
#include "base/integers.h"
#include "pop3/command.h"
#include "pop3/replies.h"

namespace postern::pop3 {
namespace {

Reply say(std::string_view text) { return {.text = std::string(text)}; }
Reply refuse(std::string_view text) { return {.text = format_error(text)}; }

bool is_number(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, is_digit);
}

std::string format_line(std::uint64_t number, std::string_view text) {
  return std::to_string(number).append(" ").append(text).append("\r\n");
}

}  // namespace

struct Session::Verb {
  std::string_view name;
  Reply (Session::*answer)(std::string_view argument);
};

constexpr Session::Verb Session::verbs[] = {
    {"CAPA", &Session::on_capa}, {"DELE", &Session::on_dele}, {"LAST", &Session::on_last},
    {"LIST", &Session::on_list}, {"NOOP", &Session::on_noop}, {"QUIT", &Session::on_quit},
    {"RETR", &Session::on_retr}, {"RSET", &Session::on_rset}, {"STAT", &Session::on_stat},
    {"TOP", &Session::on_top},   {"UIDL", &Session::on_uidl},
};

Reply Session::feed(std::string_view line) {
  const Command command = parse_command(line);
  for (const Verb& verb : verbs) {
    if (command.is(verb.name)) return (this->*verb.answer)(trim(command.argument));
  }
  return refuse(reply::unimplemented);
}

std::string Session::size_line(std::size_t message) const {
  if (marks_.deleted[message]) return {};
  return format_line(message + 1, std::to_string(mailbox_.bytes(message)));
}

std::string Session::id_line(std::size_t message) const {
  if (marks_.deleted[message]) return {};
  return format_line(message + 1, mailbox_.unique_id(message));
}

void Session::message_was_sent(std::size_t message) {
  marks_.read[message] = true;
  access(message);
}

// The message with a number that the client may use. A number of any length is a number: one beyond
// all of ours is not there.
std::expected<std::size_t, Reply> Session::find_message(std::string_view number) const {
  if (!is_number(number)) return std::unexpected(refuse(reply::syntax));
  const auto value = parse_decimal<std::size_t>(number);
  if (!value || *value > mailbox_.size()) return std::unexpected(refuse(reply::too_big));
  if (*value == 0) return std::unexpected(refuse(reply::zero));
  if (marks_.deleted[*value - 1]) return std::unexpected(refuse(reply::deleted));
  return *value - 1;
}

Reply Session::on_capa(std::string_view) { return say(reply::capabilities); }
Reply Session::on_noop(std::string_view) { return say(reply::ok); }
Reply Session::on_quit(std::string_view) { return {.then = Reply::Then::quit}; }

Reply Session::on_stat(std::string_view) {
  std::uint64_t count = 0;
  std::uint64_t bytes = 0;
  for (std::size_t i = 0; i < mailbox_.size(); ++i) {
    if (marks_.deleted[i]) continue;
    ++count;
    bytes += mailbox_.bytes(i);
  }
  return say("+OK " + format_line(count, std::to_string(bytes)));
}

Reply Session::on_last(std::string_view) {
  return say("+OK " + std::to_string(last_).append("\r\n"));
}

Reply Session::on_list(std::string_view argument) {
  if (argument.empty()) return {.text = std::string(reply::ok), .then = Reply::Then::list_sizes};
  const auto message = find_message(argument);
  return message ? say("+OK " + size_line(*message)) : message.error();
}

Reply Session::on_uidl(std::string_view argument) {
  if (argument.empty()) return {.text = std::string(reply::ok), .then = Reply::Then::list_ids};
  const auto message = find_message(argument);
  return message ? say("+OK " + id_line(*message)) : message.error();
}

Reply Session::on_retr(std::string_view argument) {
  const auto message = find_message(argument);
  if (!message) return message.error();
  return {.then = Reply::Then::send_message, .message = *message};
}

// RFC 1939 wants the number of lines; without it, as in qmail, there is no limit.
Reply Session::on_top(std::string_view argument) {
  const std::size_t blank = std::min(argument.find(' '), argument.size());
  const auto message = find_message(argument.substr(0, blank));
  if (!message) return message.error();
  Reply reply{.then = Reply::Then::send_message, .message = *message};
  const std::string_view lines = trim(argument.substr(blank));
  if (lines.empty()) return reply;
  if (!is_number(lines)) return refuse(reply::syntax);
  reply.body_lines = parse_decimal(lines).value_or(UINT64_MAX);
  return reply;
}

Reply Session::on_dele(std::string_view argument) {
  const auto message = find_message(argument);
  if (!message) return message.error();
  marks_.deleted[*message] = true;
  access(*message);
  return say(reply::ok);
}

Reply Session::on_rset(std::string_view) {
  marks_.deleted.assign(mailbox_.size(), false);
  last_ = 0;
  return say(reply::ok);
}

}  // namespace postern::pop3

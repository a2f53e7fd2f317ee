#include "mail/smtp_reply.h"

#include <utility>

#include "base/ascii.h"

namespace postern::mail {
namespace {

constexpr std::size_t code_digits = 3;

}  // namespace

SmtpReplyParser::State SmtpReplyParser::feed(std::string_view& input) {
  State state = State::unfinished;
  std::size_t used = 0;
  while (used < input.size() && state == State::unfinished) state = take_byte(input[used++]);
  if (state == State::malformed) {
    // The rest of the line tells a reader of the report what it was that answered.
    const std::string_view rest = input.substr(used - 1);
    reply_.text += replace_all(rest.substr(0, rest.find('\n')), '\r', ' ');
    reply_.text = reply_.text.substr(0, most_text_bytes) + "\n";
  }
  input.remove_prefix(used);
  return state;
}

SmtpReply SmtpReplyParser::take_reply() {
  bytes_ = 0;
  return std::exchange(reply_, {});
}

SmtpReplyParser::State SmtpReplyParser::take_byte(char c) {
  if (++bytes_ > most_reply_bytes) return State::malformed;
  if (column_ < code_digits && !take_code_digit(c)) return State::malformed;
  if (c != '\r' && reply_.text.size() < most_text_bytes) reply_.text += c;
  // A server that leaves out the blank, or the text, is understood; only '-' means more lines.
  if (column_ == code_digits) last_line_ = c != '-';
  ++column_;
  if (c != '\n') return State::unfinished;
  column_ = 0;
  reply_.code = std::exchange(code_, 0);
  return last_line_ ? State::complete : State::unfinished;
}

bool SmtpReplyParser::take_code_digit(char c) {
  if (!is_digit(c) || (column_ == 0 && (c < '2' || c > '5'))) return false;
  code_ = code_ * 10 + (c - '0');
  return true;
}

}  // namespace postern::mail

#include "remote/session.h"

#include <algorithm>
#include <numeric>

#include "mail/address.h"
#include "mail/xtext.h"
#include "wire/remote_report.h"

namespace postern::remote {
namespace {

using mail::SmtpReply;
using wire::RecipientVerdict;

constexpr int service_ready = 220;
constexpr int service_closing = 421;  // RFC 5321 3.8: whatever the command was
constexpr int done = 250;
constexpr int too_many_recipients = 452;

constexpr char temporary = 'Z';
constexpr char permanent = 'D';
constexpr char success = 'K';

char letter(RecipientVerdict verdict) { return static_cast<char>(verdict); }
char letter_for(const SmtpReply& reply) { return reply.kind() == 5 ? permanent : temporary; }

std::string remote_said(std::string_view text) {
  if (text.empty()) return {};
  std::string said = "Remote host said: " + std::string(text);
  if (!said.ends_with('\n')) said += '\n';
  return said;
}

std::string record(char letter, std::string_view text, std::string_view said) {
  return wire::format_remote_record(letter, std::string(text) + remote_said(said));
}

std::string rcpt_command(std::string_view recipient) {
  return "RCPT TO:<" + mail::quote_address(recipient) + ">";
}

template <class Range, class Value>
bool contains(const Range& range, const Value& value) {
  return std::ranges::find(range, value) != std::ranges::end(range);
}

bool is_control(char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7f; }

}  // namespace

bool is_sendable(std::string_view address) {
  const std::string_view host = mail::split_address(address).host;
  return std::ranges::none_of(address, is_control) &&
         host.find_first_of(" <>") == std::string_view::npos;
}

Session::Session(Envelope envelope, std::string peer)
    : envelope_(std::move(envelope)), peer_(std::move(peer)), asked_(envelope_.recipients.size()) {
  std::iota(asked_.begin(), asked_.end(), 0);
}

void Session::go_on(Envelope envelope) {
  if (!open_) bug("another message over a connection that is not open");
  const bool reset_first = reset_first_;
  Session next(std::move(envelope), std::move(peer_));
  next.extensions_ = extensions_;
  next.state_ = State::ready;
  next.went_on_ = true;
  *this = std::move(next);
  if (!reset_first) return start_mail();
  send("RSET");
  state_ = State::reset;
}

void Session::quit() {
  if (hears_us_) send("QUIT");
}

void Session::on_reply(const SmtpReply& reply) {
  if (reply.code == service_closing) {
    closing_ = true;
    if (may_start_afresh()) return start_afresh();
  }
  switch (state_) {
    case State::greeting:
      return on_greeting(reply);
    case State::ehlo:
      return on_ehlo(reply);
    case State::helo:
      return on_helo(reply);
    case State::auth:
      return on_auth(reply);
    case State::reset:
      return on_reset(reply);
    case State::mail:
      return on_mail(reply);
    case State::recipient:
      return on_recipient(reply);
    case State::data:
      return on_data(reply);
    case State::no_recipients:
      return give_up();
    case State::message:
    case State::ending:
      return on_message(reply);
    case State::final:
      return on_final(reply);
    case State::ready:
    case State::finished:
      return;
  }
}

void Session::on_greeting(const SmtpReply& reply) {
  if (reply.code == service_ready) {
    send("EHLO " + envelope_.helohost);
    state_ = State::ehlo;
    return;
  }
  not_greeted_ = true;
  finish_connected(temporary, "greeting failed", reply.text);
}

void Session::on_ehlo(const SmtpReply& reply) {
  if (reply.code == done) {
    extensions_ = parse_extensions(reply.text);
    return envelope_.credentials ? start_auth() : start_mail();
  }
  // Without EHLO there is no AUTH, and a route with credentials is not used without them.
  if (envelope_.credentials) return finish_connected(temporary, "my name was rejected", reply.text);
  send("HELO " + envelope_.helohost);
  state_ = State::helo;
}

void Session::on_helo(const SmtpReply& reply) {
  if (reply.code == done) return start_mail();
  finish_connected(temporary, "my name was rejected", reply.text);
}

void Session::start_auth() {
  auth_.emplace(*envelope_.credentials, extensions_);
  const auto line = auth_->begin();
  if (!line) {
    return finish(temporary,
                  "Connected to " + peer_ +
                      " but it offers none of AUTH CRAM-MD5, PLAIN and LOGIN, and this route has "
                      "credentials. (#4.7.0)\n");
  }
  send(*line);
  state_ = State::auth;
}

void Session::on_auth(const SmtpReply& reply) {
  using enum AuthDialogue::Outcome;
  const auto step = auth_->on_reply(reply);
  switch (step.outcome) {
    case goes_on:
      if (!step.rejection.empty()) {
        auth_rejection_ = connected_record(temporary, step.rejection, reply.text);
      }
      return send(step.line);
    case logged_in:
      return start_mail();
    case rejected:
      return finish_connected(temporary, step.rejection, reply.text);
    case malformed:
      return protocol_error(reply.text);
  }
}

void Session::start_mail() {
  auth_rejection_.clear();
  if (extensions_.most_bytes && envelope_.message_bytes.value_or(0) > *extensions_.most_bytes) {
    return finish(permanent, "Sorry, the message has " + std::to_string(*envelope_.message_bytes) +
                                 " bytes and " + peer_ + " takes no more than " +
                                 std::to_string(*extensions_.most_bytes) + ". (#5.3.4)\n");
  }
  pipelined_ = extensions_.pipelining;
  send_mail();
  state_ = State::mail;
  if (!pipelined_) return;
  for (const std::size_t index : asked_) {
    const std::string& recipient = envelope_.recipients[index];
    if (is_sendable(recipient)) send(rcpt_command(recipient));
  }
  send("DATA");
}

void Session::send_mail() {
  std::string command = "MAIL FROM:<" + mail::quote_address(envelope_.sender) + ">";
  if (envelope_.credentials) command += " AUTH=" + mail::format_xtext(envelope_.credentials->user);
  if (extensions_.size && envelope_.message_bytes) {
    command += " SIZE=" + std::to_string(*envelope_.message_bytes);
  }
  send(command);
}

void Session::on_reset(const SmtpReply& reply) {
  if (reply.kind() != 2) return start_afresh();
  start_mail();
}

void Session::on_mail(const SmtpReply& reply) {
  // A server may be tired of this connection, and take the message over a new one.
  if (reply.kind() != 2 && may_start_afresh()) return start_afresh();
  if (reply.kind() == 3) return protocol_error(reply.text);
  if (reply.kind() != 2)
    return finish_connected(letter_for(reply), "sender was rejected", reply.text);
  next_recipient();
}

// Asks about the recipient whose turn it is, or goes on to DATA after the last.
void Session::next_recipient() {
  for (; next_ < asked_.size(); ++next_) {
    const std::string& recipient = envelope_.recipients[asked_[next_]];
    if (is_sendable(recipient)) {
      if (!pipelined_) send(rcpt_command(recipient));
      state_ = State::recipient;
      return;
    }
    set_answer({RecipientVerdict::permanent, std::string(unsendable_recipient)});
  }
  start_data();
}

void Session::on_recipient(const SmtpReply& reply) {
  if (reply.kind() == 3) return protocol_error(reply.text);
  if (reply.kind() == 2) {
    accepted_any_ = true;
    set_answer({RecipientVerdict::accepted});
  } else {
    const auto verdict =
        reply.kind() == 5 ? RecipientVerdict::permanent : RecipientVerdict::temporary;
    set_answer({.verdict = verdict,
                .text = peer_ + " does not like recipient.\n" + remote_said(reply.text),
                .refused = true,
                .too_many = accepted_any_ && reply.code == too_many_recipients});
  }
  ++next_;
  next_recipient();
}

void Session::set_answer(Answer answer) {
  const std::size_t recipient = asked_[next_];
  if (answers_.size() <= recipient) answers_.resize(recipient + 1);
  answers_[recipient] = std::move(answer);
}

void Session::start_data() {
  if (!pipelined_ && !accepted_any_) return give_up();
  if (!pipelined_) send("DATA");
  state_ = State::data;
}

void Session::on_data(const SmtpReply& reply) {
  const bool go_on = reply.kind() == 3;
  if (!accepted_any_ && !go_on) return give_up();
  if (!accepted_any_) {
    // RFC 2920 3.1: a server that wants a message for nobody gets an empty one.
    send(".");
    state_ = State::no_recipients;
    return;
  }
  if (reply.kind() == 2) return protocol_error(reply.text);
  if (!go_on) {
    return finish(letter_for(reply), peer_ + " failed on DATA command.\n", reply.text);
  }
  state_ = State::message;
}

// The server answers before it has the whole message. What it refuses is refused; it cannot have
// accepted what it does not have.
void Session::on_message(const SmtpReply& reply) {
  if (reply.kind() < 4) return protocol_error(reply.text);
  on_final(reply);
}

void Session::on_final(const SmtpReply& reply) {
  if (reply.kind() == 3) return protocol_error(reply.text);
  if (reply.kind() == 2) {
    if (start_another_transaction(reply)) return;
    return finish(success, peer_ + " accepted message.\n", reply.text);
  }
  finish(letter_for(reply), peer_ + " failed after I sent the message.\n", reply.text);
}

// RFC 5321 4.5.3.1.10: recipients that were too many for one transaction are sent the message in
// another one at once. It ends: each transaction has delivered to somebody. 452 has other meanings
// too, and then they are refused again.
bool Session::start_another_transaction(const SmtpReply& reply) {
  if (!envelope_.message_bytes) return false;  // it cannot be read again
  std::vector<std::size_t> left;
  for (const std::size_t recipient : asked_) {
    if (answers_[recipient].too_many) left.push_back(recipient);
  }
  if (left.empty()) return false;
  std::string delivered = record(success, peer_ + " accepted message.\n", reply.text);
  if (delivered_.empty()) {
    delivered_ = std::move(delivered);
  } else {
    end_later_transaction(delivered);
  }
  asked_ = std::move(left);
  next_ = 0;
  accepted_any_ = false;
  start_mail();
  return true;
}

void Session::on_malformed_reply(std::string_view text) { protocol_error(text); }

void Session::protocol_error(std::string_view said) {
  closing_ = true;
  if (may_start_afresh()) return start_afresh();
  if (state_ == State::greeting) not_greeted_ = true;
  finish(temporary,
         "Connected to " + peer_ + " but it answered against the SMTP protocol. " + doubt() +
             "(#4.5.0)\n",
         said);
}

void Session::on_connection_lost() {
  if (may_start_afresh()) return start_afresh();
  lose_connection();
}

// Not afresh: the message would wait as long once more.
void Session::on_timeout() { lose_connection(); }

void Session::lose_connection() {
  closing_ = true;
  hears_us_ = false;
  if (state_ == State::greeting) not_greeted_ = true;
  if (!auth_rejection_.empty()) {
    finish_with(auth_rejection_);
  } else if (state_ == State::no_recipients) {
    give_up();
  } else {
    finish(temporary, "Connected to " + peer_ + " but connection died. " + doubt() + "(#4.4.2)\n");
  }
  output_.clear();
}

// Until the end of the message is under way, nobody can have got it; and a transaction that has
// delivered it to some is not to be repeated.
bool Session::may_start_afresh() const {
  constexpr State early[] = {State::ready,     State::reset, State::mail,
                             State::recipient, State::data,  State::message};
  return went_on_ && delivered_.empty() && contains(early, state_);
}

void Session::start_afresh() {
  hears_us_ = false;
  state_ = State::finished;
  stale_ = true;
  output_.clear();
}

std::string Session::doubt() const {
  return state_ == State::ending || state_ == State::final ? "Possible duplicate! " : "";
}

void Session::on_message_failure(std::string_view text) { finish(text.front(), text.substr(1)); }

std::string Session::connected_record(char letter, std::string_view what,
                                      std::string_view said) const {
  return record(letter, "Connected to " + peer_ + " but " + std::string(what) + ".\n", said);
}

void Session::finish_connected(char letter, std::string_view what, std::string_view said) {
  finish_with(connected_record(letter, what, said));
}

void Session::finish(char letter, std::string_view text, std::string_view said) {
  finish_with(record(letter, text, said));
}

// Whether nothing is under way when a transaction ends in this state.
bool Session::has_all_replies() const {
  constexpr State at_an_end[] = {State::ready, State::data, State::no_recipients, State::final};
  constexpr State one_by_one[] = {State::mail, State::recipient};
  return contains(at_an_end, state_) || (!pipelined_ && contains(one_by_one, state_));
}

void Session::give_up() {
  gave_up_ = delivered_.empty();
  finish(permanent, giving_up());
}

void Session::finish_with(std::string record) {
  open_ = !closing_ && has_all_replies();
  reset_first_ = state_ != State::final;
  // In the middle of a message a QUIT would be a part of it.
  hears_us_ = hears_us_ && state_ != State::message;
  state_ = State::finished;
  if (!delivered_.empty()) {
    end_later_transaction(record);
    record = std::move(delivered_);
  }
  message_record_ = std::move(record);
}

// What came of it is told by its recipients' own records: the message's is about the first one.
void Session::end_later_transaction(std::string_view record) {
  for (const std::size_t recipient : asked_) {
    Answer& answer = answers_[recipient];
    if (answer.verdict != RecipientVerdict::accepted) continue;
    if (record.front() == permanent) answer.verdict = RecipientVerdict::permanent;
    if (record.front() == temporary) answer.verdict = RecipientVerdict::temporary;
    answer.text = record.substr(1, record.size() - 2);
  }
}

// Each recipient's report is to be that of a message which went to it alone: one that is refused is
// given up, whatever becomes of the others.
std::string Session::report() const {
  std::string all;
  for (const auto& [verdict, text, refused, too_many] : answers_) {
    all += record(letter(verdict), refused && !gave_up_ ? text + giving_up() : text, {});
  }
  return all + message_record_;
}

}  // namespace postern::remote

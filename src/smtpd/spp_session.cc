// A plugin's word is the administrator's, but its bytes may be a stranger's: most plugins put the
// address they were asked about into what they print. So a reply must be one, a header line must
// not end the header, and an address must fit the envelope; else the command is refused for now,
// and the log says what was wrong.
#include "smtpd/spp_session.h"

#include <algorithm>

#include "base/ascii.h"
#include "base/sanitize.h"
#include "mail/header.h"
#include "smtpd/replies.h"
#include "smtpd/transaction.h"

namespace postern::smtpd {
namespace {

using Kind = SppCommand::Kind;

// Events whose wishes last for one transaction; those of the others last for the session.
constexpr std::array transaction_events = {SppEvent::mail, SppEvent::rcpt, SppEvent::data};

std::string printable(std::string_view text) {
  std::string line(text);
  std::ranges::replace_if(
      line, [](char c) { return (c >= 0 && c < ' ' && c != '\t') || c == 0x7f; }, '?');
  return line;
}

// RFC 5321 4.2: three digits, then nothing, or a blank or '-' and text.
bool is_reply_line(std::string_view line) {
  if (line.size() < 3 || line[0] < '2' || line[0] > '5') return false;
  if (!is_digit(line[1]) || !is_digit(line[2])) return false;
  return line.size() == 3 || line[3] == ' ' || line[3] == '-';
}

// The last line of a reply has no '-' (`text` ends in CR LF).
bool is_whole(std::string_view text) {
  if (text.empty()) return false;
  const std::size_t start = text.substr(0, text.size() - 2).rfind('\n') + 1;
  return text.substr(start, 4).back() != '-';
}

}  // namespace

SppSession::Verdict SppSession::helo(std::string_view name) {
  kept(SppEvent::helo) = {};
  if (active()) programs_.set("SMTPHELOHOST", name);
  return run(SppEvent::helo, nullptr);
}

SppSession::Verdict SppSession::auth(std::string_view user, std::string_view mechanism) {
  kept(SppEvent::auth) = {};
  if (!active()) return {};
  programs_.set("SMTPAUTHUSER", user);
  programs_.set("SMTP_AUTH_USER", user);
  programs_.set("SMTPAUTHMETHOD", mechanism);
  Verdict verdict = run(SppEvent::auth, nullptr);
  if (verdict.refused) {
    for (const auto* name : {"SMTPAUTHUSER", "SMTP_AUTH_USER", "SMTPAUTHMETHOD"}) {
      programs_.unset(name);
    }
  }
  return verdict;
}

SppSession::Verdict SppSession::mail(std::string& sender) {
  if (Verdict kept = reply_kept_for(SppEvent::mail); kept.refused) return kept;
  end_transaction();
  if (active()) programs_.set("SMTPMAILFROM", sender);
  return run(SppEvent::mail, &sender);
}

SppSession::Verdict SppSession::rcpt(std::string& recipient, bool hosts_ok) {
  if (Verdict kept = reply_kept_for(SppEvent::rcpt); kept.refused) return kept;
  ++recipients_tried_;
  if (active()) {
    programs_.set("SMTPRCPTCOUNT", std::to_string(recipients_));
    programs_.set("SMTPRCPTCOUNTALL", std::to_string(recipients_tried_));
    programs_.set("SMTPRCPTHOSTSOK", hosts_ok ? "1" : "0");
    programs_.set("SMTPRCPTTO", recipient);
  }
  return run(SppEvent::rcpt, &recipient);
}

SppSession::Verdict SppSession::data() {
  if (Verdict kept = reply_kept_for(SppEvent::data); kept.refused) return kept;
  return run(SppEvent::data, nullptr);
}

void SppSession::end_transaction() {
  for (const SppEvent event : transaction_events) kept(event) = {};
  recipients_ = recipients_tried_ = 0;
}

std::string SppSession::headers() const {
  std::string lines;
  for (const Kept& kept : kept_) lines += kept.headers;
  return lines;
}

// The first kept reply that is whole.
SppSession::Verdict SppSession::reply_kept_for(SppEvent event) const {
  for (const Kept& kept : kept_) {
    const std::string& text = kept.replies[static_cast<std::size_t>(event)];
    if (is_whole(text)) return {.refused = true, .text = text};
  }
  return {};
}

SppSession::Verdict SppSession::run(SppEvent event, std::string* address) {
  Turn turn{.event = event, .address = address};
  if (off_) return {};
  for (const std::string& plugin : config_.of(event)) {
    turn.plugin = plugin;
    if (!take_turn(turn)) break;
  }
  return std::move(turn.verdict);
}

bool SppSession::take_turn(Turn& turn) {
  const auto output = programs_.run(turn.plugin);
  if (!output) return fail(describe(output.error()), turn);
  const auto commands = parse_spp_output(*output);
  return std::ranges::all_of(commands,
                             [&](const SppCommand& command) { return obey(command, turn); });
}

bool SppSession::obey(const SppCommand& command, Turn& turn) {
  Verdict& verdict = turn.verdict;
  switch (command.kind) {
    case Kind::stop:
      off_ = true;
      return false;
    case Kind::next:
      return false;
    case Kind::ok:
      verdict.unchecked = true;
      return false;
    case Kind::refuse:
      return answer(command.text, turn);
    case Kind::reject:
      verdict.closing = true;
      return answer(command.text, turn);
    case Kind::drop:
      verdict.refused = verdict.closing = true;
      return false;
    case Kind::later:
      keep_reply(command, turn);
      break;
    case Kind::set:
      set_variable(command.text, turn);
      break;
    case Kind::unset:
      programs_.unset(printable(command.text));
      break;
    case Kind::header:
      keep_header(command.text, turn);
      break;
    case Kind::change:
      return change_address(command.text, turn);
    case Kind::print:
      verdict.text += printable(command.text) + "\r\n";
      break;
    case Kind::unknown:
      complain("no command", command.text, turn);
      break;
  }
  return true;
}

// What P has printed before may be the reply's first lines.
bool SppSession::answer(std::string_view text, Turn& turn) {
  const std::string line = printable(text) + "\r\n";
  if (!is_reply_line(text) || !is_whole(line)) {
    return fail("it printed no reply: " + sanitize_for_log(text), turn);
  }
  turn.verdict.refused = true;
  turn.verdict.text += line;
  return false;
}

bool SppSession::change_address(std::string_view text, Turn& turn) {
  if (turn.address == nullptr) {
    complain("C where there is no address", text, turn);
    return true;
  }
  const bool may_be_empty = turn.event == SppEvent::mail;
  if (!is_fit_for_envelope(text) || (text.empty() && !may_be_empty)) {
    return fail("it printed no address: " + sanitize_for_log(text), turn);
  }
  *turn.address = text;
  programs_.set(turn.event == SppEvent::mail ? "SMTPMAILFROM" : "SMTPRCPTTO", text);
  return true;
}

bool SppSession::fail(std::string_view why, Turn& turn) {
  turn.verdict = {.refused = true,
                  .text = format_reply(reply::plugin_failed),
                  .log = "the plugin " + turn.plugin + " failed: " + std::string(why)};
  return false;
}

void SppSession::complain(std::string_view what, std::string_view text, Turn& turn) {
  turn.verdict.log =
      "the plugin " + turn.plugin + " printed " + std::string(what) + ": " + sanitize_for_log(text);
}

// A reply to a later command; several lines of one plugin, or of several, make one reply. What
// comes after its last line would be taken for the reply to the command after that.
void SppSession::keep_reply(const SppCommand& command, Turn& turn) {
  if (!is_reply_line(command.text)) return complain("no reply", command.text, turn);
  std::string& text = kept(turn.event).replies[static_cast<std::size_t>(command.when)];
  if (is_whole(text) || text.size() > most_kept_bytes) return;
  text += printable(command.text) + "\r\n";
}

void SppSession::keep_header(std::string_view line, Turn& turn) {
  std::string& headers = kept(turn.event).headers;
  const bool continues = mail::is_continuation(line) && !headers.empty() && !trim(line).empty();
  if (!mail::field_name(line) && !continues) return complain("no header line", line, turn);
  if (headers.size() + line.size() > most_kept_bytes) return complain("too much", line, turn);
  headers += printable(line) + "\n";
}

void SppSession::set_variable(std::string_view text, Turn& turn) {
  const std::size_t equals = text.find('=');
  if (equals == std::string_view::npos || equals == 0 || text.contains('\0')) {
    return complain("no variable", text, turn);
  }
  programs_.set(std::string(text.substr(0, equals)), text.substr(equals + 1));
}

}  // namespace postern::smtpd

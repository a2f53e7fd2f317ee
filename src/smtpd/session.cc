#include "smtpd/session.h"

#include <algorithm>
#include <array>
#include <vector>

#include "base/ascii.h"
#include "base/error.h"
#include "base/sanitize.h"
#include "mail/address.h"
#include "mail/smtp_path.h"
#include "mail/smtp_received.h"
#include "wire/queue_exit.h"

namespace postern::smtpd {
namespace {

Answer say(const Reply& reply) { return {.text = format_reply(reply)}; }

Answer close_with(const Reply& reply, std::string log = {}) {
  return {.text = format_reply(reply), .exit = 1, .log = std::move(log)};
}

// "verb argument": the verb to the first blank, the argument without blanks before it.
struct Command {
  std::string_view verb;
  std::string_view argument;
};

Command split_command(std::string_view line) {
  const std::size_t blank = std::min(line.find_first_of(" \t"), line.size());
  std::string_view argument = line.substr(blank);
  argument.remove_prefix(std::min(argument.find_first_not_of(" \t"), argument.size()));
  return {line.substr(0, blank), argument};
}

// RFC 5321 4.2.1: all lines of a reply but the last have '-' after the code.
std::string format_lines(const std::vector<std::string>& lines) {
  std::string text;
  for (const auto& line : lines) {
    text += &line == &lines.back() ? "250 " : "250-";
    text += line + "\r\n";
  }
  return text;
}

// Text from a program must stay one line of the reply.
std::string on_one_line(std::string_view text) {
  std::string line(text);
  std::ranges::replace_if(line, [](char c) { return c == '\0' || c == '\r' || c == '\n'; }, '?');
  return line;
}

// What qmail-queue's verdict means to the client. "Disk full" has a code of its own in RFC 5321.
std::string format_refusal(const wire::QueueReply& verdict) {
  const auto disk_full = wire::queue_exit_text(static_cast<int>(wire::QueueExit::write_error));
  const int code = verdict.permanent() ? 554 : verdict.problem == disk_full ? 452 : 451;
  return format_reply(code, on_one_line(verdict.problem.substr(1)));
}

// The command is not carried out, because plugins refuse it.
Answer refused_by(const SppSession::Verdict& plugins) {
  return {.text = plugins.text,
          .exit = plugins.closing ? std::optional(1) : std::nullopt,
          .log = plugins.log};
}

// Plugins let it pass, and may have said something before our own answer.
Answer behind(const SppSession::Verdict& plugins, Answer answer) {
  answer.text.insert(0, plugins.text);
  if (answer.log.empty()) answer.log = plugins.log;
  return answer;
}

}  // namespace

struct Session::Verb {
  std::string_view name;
  Answer (Session::*serve)(std::string_view argument);
};

// RFC 5321 4.1.1, with AUTH of RFC 4954. Everything else, EXPN too, is not implemented.
const Session::Verb Session::verbs[] = {
    {"AUTH", &Session::on_auth}, {"DATA", &Session::on_data}, {"EHLO", &Session::on_ehlo},
    {"HELO", &Session::on_helo}, {"HELP", &Session::on_help}, {"MAIL", &Session::on_mail},
    {"NOOP", &Session::on_noop}, {"QUIT", &Session::on_quit}, {"RCPT", &Session::on_rcpt},
    {"RSET", &Session::on_rset}, {"VRFY", &Session::on_vrfy},
};

Session::Session(Settings settings, Services services)
    : settings_(std::move(settings)),
      services_(std::move(services)),
      spp_(settings_.spp, services_.plugins) {}

Answer Session::greet() {
  const auto plugins = spp_.connection();
  sent_away_ = plugins.refused;
  if (plugins.refused) return refused_by(plugins);
  return behind(plugins, {.text = format_reply(220, settings_.greeting + " ESMTP"),
                          .log = settings_.auth.warning});
}

Answer Session::time_out() { return close_with(reply::timeout); }
Answer Session::too_many_commands() { return close_with(reply::too_many_commands); }

Answer Session::feed_line(std::string_view line) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (exchange_) return continue_auth(exchange_->feed(line));
  const Command command = split_command(line);
  // RFC 5321 3.1: after a greeting that is a refusal there is only QUIT.
  if (sent_away_ && !equal_ignoring_case(command.verb, "QUIT")) return say(reply::sent_away);
  for (const auto& verb : verbs) {
    if (equal_ignoring_case(verb.name, command.verb)) return (this->*verb.serve)(command.argument);
  }
  return say(reply::unimplemented);
}

Answer Session::line_too_long() {
  if (exchange_) return continue_auth(AuthExchange::State::malformed);
  return say(reply::line_too_long);
}

// --- greetings and small talk ---

void Session::forget_transaction() {
  transaction_.reset();
  spp_.end_transaction();
}

Answer Session::on_helo(std::string_view argument) {
  const auto plugins = spp_.helo(argument);
  if (plugins.refused) return refused_by(plugins);
  helo_ = argument.substr(0, most_name_bytes);
  extended_ = false;
  forget_transaction();
  return behind(plugins, {.text = format_reply(250, settings_.greeting)});
}

// The order of the lines is that of the patches whose run scripts are in use; what they did not
// know stands after what they did.
Answer Session::on_ehlo(std::string_view argument) {
  const auto plugins = spp_.helo(argument);
  if (plugins.refused) return refused_by(plugins);
  helo_ = argument.substr(0, most_name_bytes);
  extended_ = true;
  forget_transaction();
  return behind(plugins, {.text = format_lines(extensions())});
}

std::vector<std::string> Session::extensions() {
  const AuthSetup& auth = settings_.auth;
  const bool host_first = auth.form == AuthForm::host_first;
  std::vector<std::string> lines = {settings_.greeting};
  const bool with_auth = auth.offered() && !checker_is_open_.value_or(false);
  if (with_auth && host_first) {
    lines.emplace_back("AUTH LOGIN CRAM-MD5 PLAIN");
    lines.emplace_back("AUTH=LOGIN CRAM-MD5 PLAIN");  // for clients older than RFC 2554
  }
  lines.emplace_back("PIPELINING");
  lines.emplace_back("8BITMIME");
  if (with_auth && !host_first) {
    lines.emplace_back(std::string("AUTH") + (auth.passwords ? " LOGIN PLAIN" : "") +
                       (auth.cram ? " CRAM-MD5" : ""));
  }
  if (!host_first || settings_.most_bytes > 0) {
    lines.emplace_back("SIZE " + std::to_string(settings_.most_bytes));
  }
  return lines;
}

Answer Session::on_help(std::string_view) { return say(reply::help); }
Answer Session::on_noop(std::string_view) { return say(reply::ok); }
Answer Session::on_vrfy(std::string_view) { return say(reply::vrfy); }

Answer Session::on_rset(std::string_view) {
  forget_transaction();
  return say(reply::flushed);
}

Answer Session::on_quit(std::string_view) {
  return {.text = format_reply(221, settings_.greeting), .exit = 0};
}

// --- AUTH ---

// The checker is tried out once, before it is first asked about a client. Not when AUTH is offered:
// most clients of a server have mail for it, not a login, and to try costs the start of a program.
bool Session::auth_available() {
  if (!settings_.auth.offered()) return false;
  if (!checker_is_open_) checker_is_open_ = services_.checker.accepts_anybody();
  return !*checker_is_open_;
}

Answer Session::on_auth(std::string_view argument) {
  has_seen_auth_ = true;
  // RFC 4954 4: not twice, and not in the middle of a transaction.
  if (authenticated_) return say(reply::already_authenticated);
  if (!settings_.auth.offered()) return say(reply::auth_off);
  if (transaction_) return say(reply::auth_in_transaction);
  if (!auth_available()) return say(reply::auth_off);

  const Command parts = split_command(argument);
  const auto mechanism = find_mechanism(settings_.auth, parts.verb);
  if (!mechanism) return say(reply::auth_unknown);
  exchange_.emplace(*mechanism, settings_.auth.form,
                    "<" + std::to_string(services_.pid) + "." + std::to_string(services_.now()) +
                        "@" + settings_.auth.host + ">");
  const bool initial = !parts.argument.empty();
  return continue_auth(
      exchange_->begin(initial ? std::optional(trim_end(parts.argument)) : std::nullopt));
}

Answer Session::continue_auth(AuthExchange::State state) {
  const bool host_first = settings_.auth.form == AuthForm::host_first;
  switch (state) {
    case AuthExchange::State::asking:
      return {.text = format_reply(334, exchange_->prompt())};
    case AuthExchange::State::malformed:
      exchange_.reset();
      return say(reply::auth_malformed);
    case AuthExchange::State::cancelled:
      exchange_.reset();
      return say(host_first ? reply::auth_cancelled_host_first
                            : reply::auth_cancelled_checker_first);
    case AuthExchange::State::complete:
      break;
  }
  return log_in();
}

Answer Session::log_in() {
  using Verdict = PasswordChecker::Verdict;
  const AuthExchange exchange = *std::exchange(exchange_, std::nullopt);
  const Credentials& credentials = exchange.credentials();
  switch (services_.checker.check(
      format_for_checker(settings_.auth, exchange.mechanism(), credentials))) {
    case Verdict::accepted:
      break;
    case Verdict::rejected:
      return refuse_login(credentials.user);
    case Verdict::no_pipe:
      return say(reply::no_checker_pipe);
    case Verdict::unwritten:
      return say(reply::checker_unwritten);
    case Verdict::unstarted:
      return say(reply::checker_unstarted);
    case Verdict::failed:
      return say(reply::checker_failed);
  }
  const auto plugins = spp_.auth(credentials.user, name_of(exchange.mechanism()));
  if (plugins.refused) return refused_by(plugins);
  authenticated_ = true;
  settings_.relay_client = "";
  settings_.peer.remote_info = credentials.user;
  services_.checker.announce(credentials.user, exchange.mechanism());
  return behind(plugins, say(reply::authenticated));
}

// Guessing passwords is to be slow. A process a connection cannot count what an address does on
// others; the line in the log has a fixed form (docs/wire/smtpd.md) for programs that do. The user
// name stands last and is one word, so that nobody can have another address banned.
Answer Session::refuse_login(std::string_view user) {
  const bool host_first = settings_.auth.form == AuthForm::host_first;
  Answer answer =
      say(host_first ? reply::auth_rejected_host_first : reply::auth_rejected_checker_first);
  if (++failed_logins_ == most_failed_logins) answer = close_with(reply::too_many_logins);
  answer.log = "refused login from " + settings_.peer.remote_ip + " as " +
               sanitize_for_log(user.substr(0, most_name_bytes));
  answer.pause = settings_.failure_pause;
  return answer;
}

// --- the envelope ---

// A user at our address in brackets is a user at localiphost.
Status Session::localise(std::string& address) {
  const mail::AddressParts parts = mail::split_address(address);
  if (!settings_.local_ip_host || !parts.host.starts_with('[')) return {};
  const auto ours = services_.addresses.are_named_by(parts.host);
  if (!ours) return std::unexpected(ours.error());
  if (*ours) address = std::string(parts.local) + "@" + *settings_.local_ip_host;
  return {};
}

Answer Session::on_mail(std::string_view argument) {
  if (settings_.auth.required && !authenticated_) return say(reply::auth_required);
  mail::SmtpPath path = mail::parse_smtp_path(argument);
  const mail::MailParameters parameters = mail::parse_mail_parameters(path.parameters);
  if (argument.empty() || !is_fit_for_envelope(path.address) || parameters.malformed) {
    return say(reply::syntax);
  }
  // RFC 1870 6.1: a size that is too large is refused before it is sent.
  if (settings_.most_bytes > 0 && parameters.size.value_or(0) > settings_.most_bytes) {
    return say(reply::too_big);
  }
  if (auto done = localise(path.address); !done) {
    return close_with(reply::no_addresses, describe(done.error()));
  }
  const auto plugins = spp_.mail(path.address);
  if (plugins.refused) return refused_by(plugins);
  Transaction& transaction = transaction_.emplace();
  transaction.bad_sender = !plugins.unchecked && settings_.bad_senders.lists(path.address);
  transaction.sender = std::move(path.address);
  if (parameters.auth) {
    transaction.submitter =
        *parameters.auth == "<>" ? "unknown" : parameters.auth->substr(0, most_name_bytes);
  }
  return behind(plugins, say(reply::ok));
}

Answer Session::on_rcpt(std::string_view argument) {
  if (!transaction_) return say(reply::want_mail);
  std::string recipient = mail::parse_smtp_path(argument).address;
  // An empty recipient would be taken and delivered to nobody.
  if (recipient.empty() || !is_fit_for_envelope(recipient)) return say(reply::syntax);
  if (transaction_->bad_sender) return say(reply::bad_sender);
  if (auto done = localise(recipient); !done) {
    return close_with(reply::no_addresses, describe(done.error()));
  }
  return ask_plugins_or_add(std::move(recipient));
}

// Plugins are told whether rcpthosts lets the client's recipient pass; where they put another in
// its place, that is theirs to answer for.
Answer Session::ask_plugins_or_add(std::string recipient) {
  const auto hosts_ok =
      settings_.relay_client ? Result<bool>(true) : settings_.recipient_hosts.accept(recipient);
  if (!hosts_ok) return close_with(reply::no_controls, describe(hosts_ok.error()));
  const auto plugins = spp_.rcpt(recipient, *hosts_ok);
  if (plugins.refused) return refused_by(plugins);
  return behind(plugins, plugins.unchecked ? add_recipient(recipient)
                                           : refuse_recipient_or_add(recipient, *hosts_ok));
}

Answer Session::refuse_recipient_or_add(const std::string& recipient, bool hosts_ok) {
  if (settings_.bad_recipients.lists(recipient)) return say(reply::bad_recipient);
  if (!hosts_ok) return say(reply::no_relay);
  const bool ours = !settings_.relay_client;
  if (ours && !settings_.recipient_check.empty()) return verify_recipient(recipient);
  return add_recipient(recipient);
}

Answer Session::verify_recipient(const std::string& recipient) {
  switch (services_.recipient_check.check(transaction_->sender, recipient)) {
    case RecipientCheck::Verdict::accept:
      return add_recipient(recipient);
    case RecipientCheck::Verdict::no_mailbox:
      return say(reply::no_mailbox);
    case RecipientCheck::Verdict::try_later:
      return close_with(reply::recipient_unverified);
    case RecipientCheck::Verdict::broken:
      return close_with(reply::no_recipient_check);
  }
  bug("unknown verdict of the recipient check");
}

Answer Session::add_recipient(const std::string& recipient) {
  if (!transaction_->recipients.add(recipient + settings_.relay_client.value_or(""))) {
    return say(reply::too_many_recipients);
  }
  spp_.recipient_accepted();
  return say(reply::ok);
}

// --- the message ---

// RFC 3848: A where the client has logged in (which only ESMTP can do), E where it said EHLO.
std::string Session::format_trace(const Transaction& transaction) const {
  const wire::Peer& peer = settings_.peer;
  return mail::format_smtp_received(
      {.remote_host = peer.remote_host,
       .helo = helo_,
       .info = peer.remote_info ? peer.remote_info : transaction.submitter,
       .remote_ip = peer.remote_ip,
       .local = peer.local_name,
       .protocol = authenticated_ ? "ESMTPA"
                   : extended_    ? "ESMTP"
                                  : "SMTP",
       .seconds = services_.now()});
}

Answer Session::on_data(std::string_view) {
  if (!transaction_) return say(reply::want_mail);
  if (transaction_->recipients.empty()) return say(reply::want_rcpt);
  const auto plugins = spp_.data();
  if (plugins.refused) return refused_by(plugins);
  return behind(plugins, open_message());
}

Answer Session::open_message() {
  const std::string headers = spp_.headers();
  Transaction transaction = *std::exchange(transaction_, std::nullopt);
  spp_.end_transaction();
  auto message = services_.queue.open();
  if (!message) {
    Answer answer = say(reply::no_queue);
    answer.log = describe(message.error());
    return answer;
  }
  (*message)->write(format_trace(transaction) + headers);
  incoming_.emplace();
  incoming_->transaction = std::move(transaction);
  incoming_->message = std::move(*message);
  return say(reply::go_ahead);
}

// A message that will be refused is given up at once, so that the rest of it, a gigabyte perhaps,
// takes no room in the queue.
void Session::take_decoded(std::string_view decoded) {
  IncomingMessage& in = *incoming_;
  in.bytes += decoded.size();
  in.hops.feed(decoded);
  const bool too_big = settings_.most_bytes > 0 && in.bytes > settings_.most_bytes;
  if (too_big || in.hops.looping()) in.message.reset();
  if (in.message) {
    in.message->write(decoded);
  } else {
    in.unread += decoded.size();
  }
}

Session::Taken Session::feed_data(std::string_view bytes) {
  decoded_.clear();
  const auto [taken, state] = incoming_->decoder.feed(bytes, decoded_);
  take_decoded(decoded_);
  switch (state) {
    case DataDecoder::State::unfinished:
      if (incoming_->unread <= settings_.most_unread_bytes) return {taken, {}};
      return {taken, give_up_reading()};
    case DataDecoder::State::complete:
      return {taken, finish_message()};
    case DataDecoder::State::bare_lf:
      break;
  }
  incoming_.reset();
  return {taken, close_with(reply::bare_lf)};
}

// To the client of a refused message that does not end.
Answer Session::give_up_reading() {
  const bool looping = std::exchange(incoming_, std::nullopt)->hops.looping();
  return close_with(looping ? reply::looping : reply::too_big,
                    settings_.peer.remote_ip + " goes on sending a message that is refused");
}

Answer Session::finish_message() {
  const IncomingMessage in = *std::exchange(incoming_, std::nullopt);
  if (in.hops.looping()) return say(reply::looping);
  if (!in.message) return say(reply::too_big);
  in.message->sender(in.transaction.sender);
  in.transaction.recipients.for_each(
      [&](std::string_view recipient) { in.message->recipient(recipient); });
  const wire::QueueReply verdict = in.message->finish();
  if (!verdict.accepted()) return {.text = format_refusal(verdict)};
  return {.text = format_reply(
              250, "ok " + std::to_string(services_.now()) + " qp " + std::to_string(verdict.qp))};
}

}  // namespace postern::smtpd

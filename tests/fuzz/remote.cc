// A server that says anything to qmail-remote: whole deliveries, from the greeting to the report.
#include <fcntl.h>
#include <sys/socket.h>

#include <array>

#include "base/ascii.h"
#include "fuzz/support/files.h"
#include "fuzz/support/input.h"
#include "mail/smtp_reply.h"
#include "remote/deliver.h"
#include "remote/session.h"
#include "wire/remote_report.h"

namespace postern::fuzz {
namespace {

class NoNames : public inet::NameService {
 public:
  inet::DnsResult<inet::MailExchanger> mail_exchangers(const std::string& /*host*/) override {
    return std::unexpected(inet::DnsFailure::temporary);
  }
  inet::DnsResult<inet::IpAddress> addresses(const std::string& /*host*/) override {
    return std::unexpected(inet::DnsFailure::temporary);
  }
};

// The server has said all it will ever say, and reads until the client has gone.
class Server {
 public:
  explicit Server(std::string_view says) {
    int ends[2] = {-1, -1};
    require(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) == 0,
            "a connection can be made");
    client_.reset(ends[0]);
    server_.reset(ends[1]);
    [[maybe_unused]] const auto said = ::write(server_.get(), says.data(), says.size());
    ::shutdown(server_.get(), SHUT_WR);
  }
  Result<Fd> connect() {
    if (!client_) return failure("unable to connect", ECONNREFUSED);
    return std::move(client_);
  }
  [[nodiscard]] std::string heard() const {
    std::string bytes;
    std::string piece(65536, '\0');
    for (;;) {
      const ssize_t count = ::read(server_.get(), piece.data(), piece.size());
      if (count <= 0) return bytes;
      bytes.append(piece, 0, static_cast<std::size_t>(count));
    }
  }

 private:
  Fd client_;
  Fd server_;
};

std::vector<std::string> words_of(std::string_view line) {
  std::vector<std::string> words;
  for (;;) {
    words.emplace_back(line.substr(0, line.find(' ')));
    if (words.back().size() == line.size()) return words;
    line.remove_prefix(words.back().size() + 1);
  }
}

const std::array<std::string, 5> messages = {"", "Subject: x\n\nhello\n", ".\n..\n\n.x\n",
                                             "a\r.\r\n\r\r.\r\nb\n", "no end of line"};

// Commands are lines, a body has no lone dot but its end. Recipients that were too many are named
// again, and then the message is sent again.
void check_heard(std::string_view heard, std::size_t recipients) {
  std::size_t named = 0;
  std::size_t sent = 0;
  bool in_data = false;
  while (!heard.empty()) {
    const std::size_t end = heard.find("\r\n");
    const std::string_view line = heard.substr(0, end);
    require(line.find_first_of("\r\n") == line.npos, "lines end in CR LF and nothing else");
    // The farewell may be cut off, the last line of a body that was given up too.
    if (end == heard.npos) return;
    heard.remove_prefix(end + 2);
    if (in_data) {
      require(line == "." || !line.starts_with('.') || line.starts_with(".."), "dots are stuffed");
      in_data = line != ".";
      continue;
    }
    require(sent == 0 || line == "QUIT" || line == "DATA" || line.starts_with("MAIL FROM:<") ||
                line.starts_with("RCPT TO:<"),
            "behind the end of a message there is QUIT, or what leads to the next");
    if (line.starts_with("MAIL FROM:<")) named = 0;
    if (line.starts_with("RCPT TO:<")) ++named;
    require(named <= recipients, "no recipient is added");
    if (line != "DATA") continue;
    in_data = true;
    require(++sent <= recipients, "each time the message has been delivered to somebody");
  }
}

void check_report(std::string_view report, std::string_view heard, std::size_t recipients) {
  require(report.ends_with('\0'), "a report ends its last record");
  const std::string combined = wire::combine_remote_report(report);
  std::size_t records = 0;
  while (true) {
    const std::string_view record = report.substr(0, report.find('\0'));
    require(!record.empty(), "a record has a letter");
    report.remove_prefix(record.size() + 1);
    if (report.empty()) {
      require(std::string_view("KZD").contains(record.front()), "the last is the message's");
      if (record.front() != 'K') break;
      require(heard.contains("DATA\r\n"), "what is accepted has been sent");
      require(heard.contains("\r\n.\r\n"), "to its end");
      break;
    }
    require(std::string_view("rhs").contains(record.front()), "the others are recipients'");
    ++records;
  }
  require(records <= recipients, "a recipient has one record");
  require(std::string_view("KZD").contains(combined.front()), "it says what became of one");
}

void check_replies_in_pieces(std::string_view bytes) {
  using State = mail::SmtpReplyParser::State;
  const auto parse = [](mail::SmtpReplyParser& parser, std::string_view input, std::string& seen) {
    while (!input.empty() && !seen.ends_with('!')) {
      const State state = parser.feed(input);
      if (state == State::malformed) seen += "!";
      if (state != State::complete) continue;
      const auto reply = parser.take_reply();
      require(reply.code >= 200 && reply.code <= 599, "a code is one of SMTP's");
      require(reply.text.size() <= mail::SmtpReplyParser::most_text_bytes, "a text has a limit");
      seen += std::to_string(reply.code) + reply.text;
    }
  };
  mail::SmtpReplyParser whole;
  mail::SmtpReplyParser pieced;
  std::string seen;
  std::string again;
  parse(whole, bytes, seen);
  in_pieces(bytes, [&](std::string_view piece) { parse(pieced, piece, again); });
  require(seen == again, "replies are the same in pieces");
}

// One message after another over a connection that stays open, all to the same recipients.
void check_messages_in_turn(std::string_view replies, const remote::Envelope& envelope) {
  using State = mail::SmtpReplyParser::State;
  remote::Session session(envelope, "192.0.2.1");
  mail::SmtpReplyParser parser;
  bool sent = false;
  while (!replies.empty()) {
    const State state = parser.feed(replies);
    if (state == State::malformed) session.on_malformed_reply(parser.text());
    if (state == State::complete) session.on_reply(parser.take_reply());
    if (session.wants_message()) {
      session.message_sent();
      sent = true;
    }
    if (!session.finished()) {
      if (state == State::malformed) return;
      continue;
    }
    require(!session.is_stale() || !sent, "what may have arrived is not sent again in silence");
    require(!session.is_stale() || !session.is_open(), "what is over is not open");
    if (session.is_stale()) return;
    const std::string report = session.report();
    require(report.ends_with('\0'), "a report ends its last record");
    const std::size_t last = report.rfind('\0', report.size() - 2);
    require(sent || report[last == report.npos ? 0 : last + 1] != 'K', "K is for what was sent");
    if (!session.is_open()) return;
    session.go_on(envelope);
    sent = false;
  }
}

}  // namespace

void try_input(Input input) {
  const unsigned choice = input.choose(2 * messages.size());
  const bool with_password = choice >= messages.size();
  const std::string sender(input.line());
  const remote::Delivery delivery{"there.example", sender, words_of(input.line())};
  check_replies_in_pieces(input.rest());
  check_messages_in_turn(input.rest(),
                         {"mx.example.org", sender, delivery.recipients, std::nullopt, 15});

  Server server(input.rest());
  NoNames names;
  remote::Surroundings surroundings{
      .directory = {names, [] { return std::vector<inet::IpAddress>{}; }},
      .connect = [&](const remote::Target&, Deadline) { return server.connect(); },
      .queue = "no-such-queue"};
  remote::Controls controls;
  controls.helohost = "mx.example.org";
  controls.reply_timeout = std::chrono::seconds{5};
  controls.smtproutes = control::HostMap(
      {with_password ? ":[192.0.2.1] dXNlcg== cGFzc3dvcmQ=" : ":[192.0.2.1]:2525"});
  const Fd message = memory_file(messages[choice % messages.size()]);
  remote::OpenConnection connection;
  const remote::Outcome outcome =
      remote::deliver(delivery, controls, message.get(), surroundings, connection);
  connection.reset();

  const std::string heard = server.heard();
  check_heard(heard, delivery.recipients.size());
  check_report(outcome.report, heard, delivery.recipients.size());
  require(!outcome.host_unreachable, "a host that can be connected to is never called unreachable");
  if (with_password && heard.contains("MAIL FROM:")) {
    require(input.rest().contains("235"), "nothing is sent without the login that was asked for");
  }
}

}  // namespace postern::fuzz

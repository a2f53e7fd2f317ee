// An SMTP client that says anything. Two sessions hear it: one on its connection (smtpd/connection)
// and one that is fed pieces; both must answer and accept the same.
#include "base/ascii.h"
#include "fuzz/support/files.h"
#include "fuzz/support/input.h"
#include "fuzz/support/smtp_stand_ins.h"
#include "smtpd/connection.h"

namespace postern::fuzz {
namespace {

using smtpd::Answer;
using smtpd::Session;

smtpd::Settings settings_of(unsigned choice) {
  smtpd::Settings settings;
  settings.greeting = "mx.example.org";
  settings.failure_pause = std::chrono::milliseconds{0};
  settings.recipient_hosts = control::RecipientHosts({"example.org", ".example.net"});
  settings.bad_senders = smtpd::AddressList({"@bad.example"});
  settings.peer = {"client.example", "192.0.2.1", std::nullopt, "mx.example.org"};
  if ((choice & 1) != 0) settings.most_bytes = 500;
  if ((choice & 2) != 0) settings.local_ip_host = "mx.example.org";
  if ((choice & 4) != 0) settings.recipient_check = "check";
  if ((choice & 8) != 0) settings.relay_client = "@relay";
  const bool checker_first = (choice & 16) != 0;
  settings.auth = smtpd::parse_auth_setup(
      checker_first ? std::vector<std::string>{"/checker", "sub"}
                    : std::vector<std::string>{"mx.example.org", "/checker", "sub"},
      (choice & 32) != 0 ? std::optional("!+cram") : std::nullopt, "mx.example.org");
  return settings;
}

struct World {
  explicit World(unsigned choice)
      : checker((choice & 64) != 0),
        session(settings_of(choice), {checker, queue, mailboxes, plugins, addresses,
                                      [] { return std::int64_t{5}; }, 6}) {}
  Checker checker;
  Queue queue;
  Mailboxes mailboxes;
  NoPlugins plugins;
  Addresses addresses;
  Session session;
};

// RFC 5321 4.2: lines of three digits, '-' or ' ', and text, with CR LF at their ends alone.
void check_replies(std::string_view text) {
  while (!text.empty()) {
    const std::size_t end = text.find("\r\n");
    const std::string_view line = text.substr(0, end);
    require(end != text.npos && line.size() >= 4 && is_printable(line), "a reply is lines of text");
    require(std::ranges::all_of(line.substr(0, 3), is_digit), "with a code");
    require(line[3] == ' ' || line[3] == '-', "and a mark behind it");
    text.remove_prefix(end + 2);
  }
}

// What a client's bytes mean by the RFC alone: where they end, and which message they are.
void check_message(std::string_view sent, const QueuedMessage& queued) {
  const std::string_view end = "\r\n.\r\n";
  const std::string with_line_before = "\r\n" + std::string(sent);
  require(with_line_before.find(end) == with_line_before.size() - end.size(),
          "a message ends at its first CR LF dot CR LF, and nowhere else");
  std::string message;
  for (std::string_view rest = sent.substr(0, sent.size() - 3); !rest.empty();) {
    std::string_view line = rest.substr(0, rest.find("\r\n"));
    rest.remove_prefix(line.size() + 2);
    // As qmail: before a CR that ends no line, the dot is text.
    if (line.starts_with('.') && !line.starts_with(".\r")) line.remove_prefix(1);
    require(!line.contains('\n'), "a message with a bare LF is not taken");
    message.append(line).append("\n");
  }
  const std::size_t trace = queued.message.find('\n', queued.message.find('\n') + 1) + 1;
  require(queued.message.substr(trace) == message, "what is queued is what was sent");
}

void check_envelope(const QueuedMessage& queued) {
  require(!queued.recipients.empty(), "a message has recipients");
  const auto fit = [](std::string_view address) {
    return address.find_first_of(std::string_view("\0\r\n", 3)) == address.npos &&
           address.size() <= smtpd::most_address_bytes + 6;
  };
  require(fit(queued.sender) && std::ranges::all_of(queued.recipients, fit),
          "addresses can stand in an envelope");
}

// A session that hears its client in pieces.
class Pieces {
 public:
  Pieces(World& world, std::string_view whole) : world_(world), whole_(whole) {
    take(world_.session.greet());
  }
  void feed(std::string_view piece) {
    pending_ += piece;
    while (!exit_ && !pending_.empty()) {
      if (world_.session.in_data()) {
        feed_data();
      } else if (!feed_line()) {
        return;
      }
    }
  }
  [[nodiscard]] const std::string& said() const { return said_; }

 private:
  bool feed_line() {
    const std::size_t end = pending_.find('\n');
    if (end == std::string::npos) return false;
    const std::string line = pending_.substr(0, end);
    consume(end + 1);
    take(line.size() > Session::most_line_bytes + 1 ? world_.session.line_too_long()
                                                    : world_.session.feed_line(line));
    data_begin_ = at_;
    return true;
  }
  void feed_data() {
    const std::size_t accepted = world_.queue.accepted.size();
    const auto taken = world_.session.feed_data(pending_);
    consume(taken.bytes);
    take(taken.answer);
    if (world_.queue.accepted.size() == accepted) return;
    check_message(whole_.substr(data_begin_, at_ - data_begin_), world_.queue.accepted.back());
    check_envelope(world_.queue.accepted.back());
  }
  void consume(std::size_t bytes) {
    require(bytes <= pending_.size(), "no more is taken than there is");
    pending_.erase(0, bytes);
    at_ += bytes;
  }
  void take(const Answer& answer) {
    require(is_printable(answer.log), "what is logged is one line");
    said_ += answer.text;
    exit_ = answer.exit.has_value();
  }

  World& world_;
  std::string_view whole_;
  std::string pending_;
  std::string said_;
  std::size_t at_ = 0;          // of whole_: the first byte not taken
  std::size_t data_begin_ = 0;  // of whole_: what follows the DATA line
  bool exit_ = false;
};

}  // namespace

void try_input(Input input) {
  const unsigned choice = input.choose(128);
  World pieced(choice);
  Pieces client(pieced, input.rest());
  in_pieces(input.rest(), [&](std::string_view piece) { client.feed(piece); });
  check_replies(client.said());

  World connected(choice);
  const Fd in = memory_file(input.rest());
  const Fd out = memory_file();
  smtpd::serve_client(connected.session, {.timeout = std::chrono::seconds{10}}, in.get(),
                      out.get());
  require(contents_of(out) == client.said(), "the replies are the same in pieces");
  require(connected.queue.accepted == pieced.queue.accepted, "and so are the messages");
}

}  // namespace postern::fuzz

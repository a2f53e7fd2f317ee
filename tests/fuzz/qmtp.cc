// A QMTP or QMQP client that says anything, whole and in pieces: the answers and the messages are
// the same, and they are those of a reader that knows nothing but netstrings.
#include "base/netstring.h"
#include "fuzz/support/input.h"
#include "fuzz/support/smtp_stand_ins.h"
#include "qmtp/qmqp_session.h"
#include "qmtp/qmtp_session.h"

namespace postern::fuzz {
namespace {

using qmtp::Answer;
using qmtp::Session;

const wire::Peer peer{"client.example", "192.0.2.1", std::nullopt, "mx.example.org"};

class Client {
 public:
  explicit Client(Session& session) : session_(session) {}
  void send(std::string_view bytes) {
    while (!bytes.empty() && !exit_) {
      const std::size_t before = bytes.size();
      const Answer answer = session_.feed(bytes);
      require(bytes.size() < before, "a session takes what it is given");
      require(is_printable(answer.log), "what is logged is one line");
      said_ += answer.text;
      exit_ = answer.exit;
    }
  }
  [[nodiscard]] const std::string& said() const { return said_; }
  [[nodiscard]] std::optional<int> exit() const { return exit_; }

 private:
  Session& session_;
  std::string said_;
  std::optional<int> exit_;
};

// How many netstrings there are, and nothing besides them. Nothing: there is something.
std::optional<std::size_t> count_netstrings(std::string_view bytes) {
  std::size_t count = 0;
  for (; !bytes.empty(); ++count) {
    if (!take_netstring(bytes)) return std::nullopt;
  }
  return count;
}

std::size_t count_replies(std::string_view said) {
  std::size_t count = 0;
  for (; !said.empty(); ++count) {
    const auto reply = take_netstring(said);
    require(reply.has_value(), "an answer is netstrings");
    require(reply->starts_with('K') || reply->starts_with('D') || reply->starts_with('Z'),
            "that begin with a verdict");
  }
  return count;
}

// The recipients of all whole packages, up to the first that is none.
std::size_t count_recipients(std::string_view bytes) {
  std::size_t count = 0;
  for (;;) {
    const auto message = take_netstring(bytes);
    if (!message || !(message->starts_with('\n') || message->starts_with('\r'))) return count;
    const auto sender = take_netstring(bytes);
    const auto recipients = sender ? take_netstring(bytes) : std::nullopt;
    const auto more = recipients ? count_netstrings(*recipients) : std::nullopt;
    if (!more) return count;
    count += *more;
  }
}

void check_envelopes(const Queue& queue) {
  const auto fits = [](std::string_view address) {
    return !address.contains('\0') && address.size() < qmtp::address_limit;
  };
  for (const QueuedMessage& queued : queue.accepted) {
    require(queued.message.starts_with("Received: from client.example "), "a message has a trace");
    require(fits(queued.sender) && std::ranges::all_of(queued.recipients, fits),
            "addresses can stand in an envelope");
  }
  require(queue.open_messages <= 1, "one message at a time");
}

qmtp::QmtpPolicy policy_of(unsigned choice) {
  qmtp::QmtpPolicy policy;
  policy.recipient_hosts = control::RecipientHosts({"example.org"});
  if ((choice & 1) != 0) policy.relay_client = "@relay";
  if ((choice & 2) != 0) policy.most_bytes = 20;
  return policy;
}

qmtp::Services services_of(Queue& queue) {
  return {.queue = queue, .now = [] { return std::int64_t{5}; }};
}

// Gives the bytes to two sessions and compares them; how it went, for claims of one protocol.
template <class MakeSession>
Client play(std::string_view bytes, MakeSession make_session) {
  Queue queue;
  Queue queue_of_pieces;
  auto session = make_session(queue);
  auto session_of_pieces = make_session(queue_of_pieces);
  Client client(*session);
  Client pieced(*session_of_pieces);
  client.send(bytes);
  in_pieces(bytes, [&](std::string_view piece) { pieced.send(piece); });
  require(client.said() == pieced.said() && client.exit() == pieced.exit(),
          "the answers are the same in pieces");
  require(queue.accepted == queue_of_pieces.accepted, "and so are the messages");
  check_envelopes(queue);
  return client;
}

void qmtp_client(unsigned choice, std::string_view bytes) {
  const Client client = play(bytes, [choice](Queue& queue) {
    return std::make_unique<qmtp::QmtpSession>(policy_of(choice), services_of(queue), peer);
  });
  const std::size_t replies = count_replies(client.said());
  const std::size_t wanted = count_recipients(bytes);
  require(replies == wanted || (client.exit() == 111 && replies < wanted),
          "each recipient of a whole package has a reply, and no other");
}

void qmqp_client(std::string_view bytes) {
  const Client client = play(bytes, [](Queue& queue) {
    return std::make_unique<qmtp::QmqpSession>(services_of(queue), peer);
  });
  std::string_view rest = bytes;
  const auto package = take_netstring(rest);
  const bool is_whole = package && count_netstrings(*package).value_or(0) >= 2;
  require((count_replies(client.said()) == 1) == is_whole, "a whole package has one answer");
  require(client.exit() == 0 || !is_whole, "and ends the connection");
}

}  // namespace

void try_input(Input input) {
  const unsigned choice = input.choose(8);
  if (choice < 4) {
    qmtp_client(choice, input.rest());
  } else {
    qmqp_client(input.rest());
  }
}

}  // namespace postern::fuzz

// QMTP's and QMQP's servers with a queue that remembers: every package whole, and cut at every
// byte.
#include <gtest/gtest.h>

#include "qmtp/qmqp_session.h"
#include "qmtp/qmtp_session.h"

namespace postern::qmtp {
namespace {

using std::string_literals::operator""s;

struct Queued {
  std::string message;
  std::string sender;
  std::vector<std::string> recipients;
};

class Message : public wire::OutgoingMessage {
 public:
  Message(std::vector<Queued>& queue, const std::string& problem)
      : queue_(queue), problem_(problem) {}
  void write(std::string_view bytes) override { queued_.message += bytes; }
  void sender(std::string_view address) override { queued_.sender = address; }
  void recipient(std::string_view address) override { queued_.recipients.emplace_back(address); }
  wire::QueueReply finish() override {
    if (problem_.empty()) queue_.push_back(queued_);
    return {problem_, 4711};
  }

 private:
  std::vector<Queued>& queue_;
  std::string problem_;
  Queued queued_;
};

class Queue : public wire::MessageQueue {
 public:
  Result<std::unique_ptr<wire::OutgoingMessage>> open() override {
    if (!can_start) return failure("unable to fork");
    return std::make_unique<Message>(messages, problem);
  }
  std::vector<Queued> messages;
  std::string problem;
  bool can_start = true;
};

constexpr std::string_view trace_qmtp =
    "Received: from there (192.0.2.9)\n  by here with QMTP; 14 Nov 2023 22:13:20 -0000\n";
constexpr std::string_view trace_qmqp =
    "Received: from there (192.0.2.9)\n  by here with QMQP; 14 Nov 2023 22:13:20 -0000\n";
const wire::Peer peer{"there", "192.0.2.9", std::nullopt, "here"};

std::string netstring(std::string_view text) { return format_netstring(text); }

template <class... Addresses>
std::string netstrings(Addresses... addresses) {
  return (netstring(addresses) + ... + "");
}

// What a server says to bytes, in pieces; "exit N" behind it if it ends.
std::string play(Session& session, std::string_view bytes, std::size_t piece) {
  std::string said;
  while (!bytes.empty()) {
    std::string_view part = bytes.substr(0, piece);
    bytes.remove_prefix(part.size());
    while (!part.empty()) {
      const Answer answer = session.feed(part);
      said += answer.text;
      if (answer.exit) return said + "exit " + std::to_string(*answer.exit);
    }
  }
  return said;
}

class Qmtp : public testing::Test {
 protected:
  QmtpPolicy policy() const {
    return {.recipient_hosts = control::RecipientHosts({"example.org"}),
            .relay_client = relay_client_,
            .most_bytes = most_bytes_,
            .most_recipients = most_recipients_};
  }
  Services services() {
    return {.queue = queue_, .now = [] { return std::int64_t{1'700'000'000}; }};
  }
  // Whatever the pieces, the answer and the queue are the same.
  std::string say(const std::string& bytes) {
    for (std::size_t piece = 1; piece < bytes.size() && bytes.size() < 300; ++piece) {
      queue_.messages.clear();
      QmtpSession session(policy(), services(), peer);
      const std::string said = play(session, bytes, piece);
      const auto queued = queue_.messages.size();
      queue_.messages.clear();
      QmtpSession again(policy(), services(), peer);
      EXPECT_EQ(play(again, bytes, bytes.size()), said) << "in pieces of " << piece;
      EXPECT_EQ(queue_.messages.size(), queued);
    }
    queue_.messages.clear();
    QmtpSession session(policy(), services(), peer);
    return play(session, bytes, bytes.size());
  }
  static std::string package(const std::string& message, const std::string& sender,
                             const std::string& recipients) {
    return netstring(message) + netstring(sender) + netstring(recipients);
  }

  Queue queue_;
  std::optional<std::string> relay_client_;
  std::uint64_t most_bytes_ = 0;
  std::size_t most_recipients_ = 100;
};

TEST_F(Qmtp, MessageIsQueuedWithItsEnvelopeAndTrace) {
  EXPECT_EQ(say(package("\nSubject: x\n\nhello\n", "a@b", netstrings("c@example.org"))),
            "22:Kok 1700000000 qp 4711,");
  ASSERT_EQ(queue_.messages.size(), 1U);
  EXPECT_EQ(queue_.messages[0].message, std::string(trace_qmtp) + "Subject: x\n\nhello\n");
  EXPECT_EQ(queue_.messages[0].sender, "a@b");
  EXPECT_EQ(queue_.messages[0].recipients, (std::vector<std::string>{"c@example.org"}));
}

TEST_F(Qmtp, ConnectionCarriesManyPackages) {
  const std::string one = package("\nx\n", "", netstrings("c@example.org"));
  EXPECT_EQ(say(one + one), "22:Kok 1700000000 qp 4711,22:Kok 1700000000 qp 4711,");
  EXPECT_EQ(queue_.messages.size(), 2U);
}

TEST_F(Qmtp, CrLfBecomesLfAndOtherCrsStay) {
  say(package("\ra\r\nb\rc\r\r\n\r\nd\n\r", "", netstrings("c@example.org")));
  ASSERT_EQ(queue_.messages.size(), 1U);
  EXPECT_EQ(queue_.messages[0].message, std::string(trace_qmtp) + "a\nb\rc\r\n\nd\n\r");
}

TEST_F(Qmtp, LfEncodingKeepsEveryByte) {
  const std::string odd = "a\r\n\0\xff\r"s;
  say(package("\n" + odd, "", netstrings("c@example.org")));
  ASSERT_EQ(queue_.messages.size(), 1U);
  EXPECT_EQ(queue_.messages[0].message, std::string(trace_qmtp) + odd);
}

TEST_F(Qmtp, EachRecipientHasItsReply) {
  const std::string said = say(package(
      "\nx\n", "a@b",
      netstrings("one@example.org", "two@elsewhere.example", "local", std::string(1000, 'x'))));
  EXPECT_EQ(said,
            netstrings("Kok 1700000000 qp 4711",
                       "Dsorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)",
                       "Kok 1700000000 qp 4711", "Dsorry, I can't handle that recipient (#5.1.3)"));
  ASSERT_EQ(queue_.messages.size(), 1U);
  EXPECT_EQ(queue_.messages[0].recipients, (std::vector<std::string>{"one@example.org", "local"}));
}

TEST_F(Qmtp, NulInAnAddressIsRefused) {
  EXPECT_EQ(say(package("\nx\n", "a@b", netstrings("one@example.org\0Tother"s))),
            netstring("Dsorry, I can't handle that recipient (#5.1.3)"));
  EXPECT_EQ(say(package("\nx\n", "a\0b"s, netstrings("one@example.org", "two@elsewhere.example"))),
            netstrings("Dunacceptable sender (#5.1.7)",
                       "Dsorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)"));
  EXPECT_EQ(queue_.messages.size(), 0U);
}

TEST_F(Qmtp, NobodyIsNoRecipient) {
  for (const auto& relay_client :
       {std::optional<std::string>(), std::optional<std::string>("@r")}) {
    relay_client_ = relay_client;
    EXPECT_EQ(
        say(package("\nx\n", "a@b", netstrings("", "one@example.org"))),
        netstrings("Dsorry, I can't handle that recipient (#5.1.3)", "Kok 1700000000 qp 4711"));
    ASSERT_EQ(queue_.messages.size(), 1U);
    EXPECT_EQ(queue_.messages[0].recipients.size(), 1U);
  }
}

TEST_F(Qmtp, AddressesHaveAtMost999Bytes) {
  const std::string longest = std::string(987, 'x') + "@example.org";
  ASSERT_EQ(longest.size(), 999U);
  EXPECT_EQ(say(package("\nx\n", longest, netstrings(longest))),
            netstring("Kok 1700000000 qp 4711"));
  EXPECT_EQ(say(package("\nx\n", "x" + longest, netstrings(longest))),
            netstring("Dunacceptable sender (#5.1.7)"));
}

TEST_F(Qmtp, WithoutAcceptableRecipientsNothingIsQueued) {
  EXPECT_EQ(say(package("\nx\n", "a@b", netstrings("two@elsewhere.example"))),
            netstring("Dsorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)"));
  EXPECT_EQ(say(package("\nx\n", "a@b", "")), "");
  EXPECT_EQ(queue_.messages.size(), 0U);
}

TEST_F(Qmtp, RelayClientMaySendAnywhereAndIsAdded) {
  relay_client_ = "@relay";
  EXPECT_EQ(
      say(package("\nx\n", "a@b", netstrings("two@elsewhere.example", std::string(994, 'x')))),
      netstrings("Kok 1700000000 qp 4711", "Dsorry, I can't handle that recipient (#5.1.3)"));
  ASSERT_EQ(queue_.messages.size(), 1U);
  EXPECT_EQ(queue_.messages[0].recipients,
            (std::vector<std::string>{"two@elsewhere.example@relay"}));
}

TEST_F(Qmtp, DatabytesCountsWhatIsQueued) {
  most_bytes_ = 4;
  EXPECT_EQ(say(package("\ra\r\nb\r\n", "", netstrings("c@example.org"))),
            netstring("Kok 1700000000 qp 4711"));
  EXPECT_EQ(say(package("\na\nbc\n", "", netstrings("c@example.org", "d@elsewhere.example"))),
            netstrings("Dsorry, that message size exceeds my databytes limit (#5.3.4)",
                       "Dsorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)"));
  EXPECT_EQ(queue_.messages.size(), 0U);
}

TEST_F(Qmtp, QueuesRefusalIsEveryAcceptedRecipients) {
  queue_.problem = "Zqq write error or disk full (#4.3.0)";
  EXPECT_EQ(
      say(package("\nx\n", "", netstrings("c@example.org", "d@example.org"))),
      netstrings("Zqq write error or disk full (#4.3.0)", "Zqq write error or disk full (#4.3.0)"));
}

TEST_F(Qmtp, QueueThatCannotStartEndsTheConnection) {
  queue_.can_start = false;
  EXPECT_EQ(say(package("\nx\n", "", netstrings("c@example.org"))), "exit 111");
}

TEST_F(Qmtp, LengthsAreStrict) {
  for (const char* bytes : {"4294967296:", "200000001:", "18446744073709551617:",
                            "99999999999999999999999999999999:"}) {
    EXPECT_EQ(say(bytes), "exit 111") << bytes;
  }
  for (const char* bytes : {"00001:", "01:", "00:", "-1:", "+1:", " 1:", "1 :", ":", "0x1:", "a",
                            "1;", "3:\nx\n;", "3:\nx\n,1:a;", "\n"}) {
    EXPECT_EQ(say(bytes), "exit 100") << bytes;
  }
  EXPECT_EQ(say("200000000:\nwaits for the rest"), "");
}

TEST_F(Qmtp, MessageMustSayHowItsLinesEnd) {
  EXPECT_EQ(say("0:,"), "exit 100");
  EXPECT_EQ(say(package("x\n", "", netstrings("c@example.org"))), "exit 100");
}

TEST_F(Qmtp, RecipientsMustFitTheirNetstring) {
  const std::string head = netstring("\nx\n") + netstring("a@b");
  for (const char* rest : {"5:15:c@example.org,,", "17:15:c@example.org,,", "4:1:c,x", "3:1:c,,",
                           "5:1:c,,,", "1:c,"}) {
    EXPECT_TRUE(say(head + rest).ends_with("exit 100")) << rest;
    EXPECT_EQ(queue_.messages.size(), 0U) << rest;
  }
}

TEST_F(Qmtp, ClientThatVanishesQueuesNothing) {
  const std::string whole = package("\nx\n", "a@b", netstrings("c@example.org"));
  for (std::size_t length = 0; length < whole.size(); ++length) {
    EXPECT_EQ(say(whole.substr(0, length)), "");
    EXPECT_EQ(queue_.messages.size(), 0U) << length;
  }
}

TEST_F(Qmtp, RecipientsBeyondTheLimitAreRefusedForNow) {
  relay_client_ = "";
  std::string recipients;
  for (std::size_t i = 0; i < most_recipients_ + 2; ++i) recipients += "1:c,";
  const std::string said = say(package("\nx\n", "", recipients));
  const std::string refused = netstring("Zsorry, too many recipients (#4.5.3)");
  EXPECT_TRUE(said.ends_with("4711," + refused + refused));
  ASSERT_EQ(queue_.messages.size(), 1U);
  EXPECT_EQ(queue_.messages[0].recipients.size(), most_recipients_);
}

// Each would be answered, and a package has room for more of them than an answer should have.
TEST_F(Qmtp, RecipientsWithoutEndEndTheConnection) {
  relay_client_ = "";
  most_recipients_ = 3;
  const std::string head = netstring("\nx\n") + netstring("") + "200000000:";
  EXPECT_EQ(say(head + "1:c,1:c,1:c,1:c,1:c,1:c,"), "");
  EXPECT_EQ(say(head + "1:c,1:c,1:c,1:c,1:c,1:c,1:c,"), "exit 111");
  EXPECT_EQ(queue_.messages.size(), 0U);
}

class Qmqp : public Qmtp {
 protected:
  std::string say(const std::string& bytes) {
    std::string said;
    for (std::size_t piece = bytes.size(); piece > 0; --piece) {
      queue_.messages.clear();
      QmqpSession session(services(), peer);
      const std::string now = play(session, bytes, piece);
      if (piece == bytes.size()) said = now;
      EXPECT_EQ(now, said) << "in pieces of " << piece;
    }
    return said;
  }
};

TEST_F(Qmqp, PackageIsQueuedForAnybodyAndAnswered) {
  EXPECT_EQ(say(netstring(netstrings("a\r\nb", "s@x", "c@elsewhere.example", "d"))),
            netstring("Kok 1700000000 qp 4711") + "exit 0");
  ASSERT_EQ(queue_.messages.size(), 1U);
  EXPECT_EQ(queue_.messages[0].message, std::string(trace_qmqp) + "a\r\nb");
  EXPECT_EQ(queue_.messages[0].sender, "s@x");
  EXPECT_EQ(queue_.messages[0].recipients, (std::vector<std::string>{"c@elsewhere.example", "d"}));
}

TEST_F(Qmqp, EmptyMessageAndNoRecipientsAreAPackage) {
  EXPECT_EQ(say(netstring(netstrings("", ""))), netstring("Kok 1700000000 qp 4711") + "exit 0");
}

TEST_F(Qmqp, OneBadAddressRefusesAll) {
  const std::string refusal =
      netstring("Dsorry, I can't accept addresses like that (#5.1.3)") + "exit 0";
  EXPECT_EQ(say(netstring(netstrings("x", "s", "c", "d\0Te"s))), refusal);
  EXPECT_EQ(say(netstring(netstrings("x", "s\0"s, "c"))), refusal);
  EXPECT_EQ(say(netstring(netstrings("x", "s", "", "c"))), refusal);
  EXPECT_EQ(say(netstring(netstrings("x", "s", std::string(1000, 'c'), "d"))), refusal);
  EXPECT_EQ(queue_.messages.size(), 0U);
}

TEST_F(Qmqp, QueuesRefusalIsTheAnswer) {
  queue_.problem = "Dmail server permanently rejected message (#5.3.0)";
  EXPECT_EQ(say(netstring(netstrings("x", "s", "c"))), netstring(queue_.problem) + "exit 0");
  queue_.can_start = false;
  EXPECT_EQ(say(netstring(netstrings("x", "s", "c"))), "exit 111");
}

TEST_F(Qmqp, InnerNetstringsMustFitTheOuterOne) {
  for (const char* bytes :
       {"0:,", "1:,", "3:1:x,", "4:5:x,", "7:1:x,1:s;", "8:1:x,1:s,;", "4:1:x,,", "11:1:x,1:s,1:c,",
        "9:1:x,1:s,1:c,,", "8:1:x,01:s,", "8:1:x,1:s,x"}) {
    EXPECT_EQ(say(bytes), "exit 100") << bytes;
    EXPECT_EQ(queue_.messages.size(), 0U) << bytes;
  }
  EXPECT_EQ(say("200000001:"), "exit 111");
  EXPECT_EQ(say("100:200000001:"), "exit 111");
}

TEST_F(Qmqp, ClientThatVanishesQueuesNothing) {
  const std::string whole = netstring(netstrings("x", "s", "c"));
  for (std::size_t length = 1; length < whole.size(); ++length) {
    EXPECT_EQ(say(whole.substr(0, length)), "");
    EXPECT_EQ(queue_.messages.size(), 0U) << length;
  }
}

}  // namespace
}  // namespace postern::qmtp

// Whatever is said to a session, it answers with replies, or ends. What it says to whom is in the
// dialogues (tests/dialog).
#include "smtpd/session.h"

#include <gtest/gtest.h>

#include <random>

#include "base/ascii.h"
#include "base/base64.h"

namespace postern::smtpd {
namespace {

class Checker : public PasswordChecker {
 public:
  Verdict check(const std::string&) override { return Verdict::rejected; }
  bool accepts_anybody() override { return ++trials > 100; }
  void announce(std::string_view, Mechanism) override {}
  int trials = 0;
};
class Message : public OutgoingMessage {
 public:
  Message(int& alive, std::string& trace) : alive_(alive), trace_(trace) { ++alive_; }
  ~Message() override { --alive_; }
  void write(std::string_view bytes) override {
    if (bytes_ == 0) trace_ = bytes;
    bytes_ += bytes.size();
  }
  void sender(std::string_view) override {}
  void recipient(std::string_view) override {}
  wire::QueueReply finish() override { return {bytes_ > 300 ? "Zfull" : "", 7}; }

 private:
  int& alive_;
  std::string& trace_;
  std::size_t bytes_ = 0;
};
class Queue : public MessageQueue {
 public:
  Result<std::unique_ptr<OutgoingMessage>> open() override {
    return std::make_unique<Message>(alive, trace);
  }
  int alive = 0;
  std::string trace;  // the Received field of the last message
};
class Check : public RecipientCheck {
 public:
  Verdict check(const std::string&, const std::string&) override { return Verdict::no_mailbox; }
};
class NoPlugins : public PluginPrograms {
 public:
  Result<std::string> run(const std::string&) override { return ""; }
  void set(const std::string&, std::string_view) override {}
  void unset(const std::string&) override {}
};
class Addresses : public HostAddresses {
 public:
  Result<bool> are_named_by(std::string_view literal) override { return literal == "[::1]"; }
};

class Sessions : public testing::Test {
 protected:
  Session start() {
    Settings settings;
    settings.greeting = "mx.example";
    settings.most_bytes = 500;
    settings.most_unread_bytes = 90'000;
    settings.peer.remote_ip = "192.0.2.9";
    settings.recipient_hosts = control::RecipientHosts({"example.org"});
    settings.auth = parse_auth_setup({"host", "/c", "/bin/true"}, {}, "local");
    return Session(std::move(settings), {checker_, queue_, check_, plugins_, addresses_,
                                         [] { return std::int64_t{5}; }, 6});
  }
  Checker checker_;
  Queue queue_;
  Check check_;
  NoPlugins plugins_;
  Addresses addresses_;
};

// RFC 5321 4.2: lines of three digits, '-' or ' ', and text, with CR LF at their ends alone.
bool is_well_formed(std::string_view text) {
  while (!text.empty()) {
    const std::size_t end = text.find("\r\n");
    const std::string_view line = text.substr(0, end);
    if (end == std::string_view::npos || line.size() < 4 || line.find_first_of("\r\n") < end) {
      return false;
    }
    if (!is_digit(line[0]) || !is_digit(line[1]) || !is_digit(line[2])) return false;
    if (line[3] != ' ' && line[3] != '-') return false;
    text.remove_prefix(end + 2);
  }
  return true;
}

// Feeds bytes as the connection does; false when the session has ended.
bool feed(Session& session, std::string& input) {
  while (!input.empty()) {
    Answer answer;
    if (session.in_data()) {
      auto taken = session.feed_data(input);
      input.erase(0, taken.bytes);
      answer = std::move(taken.answer);
    } else {
      const std::size_t end = input.find('\n');
      if (end == std::string::npos) return true;
      answer = session.feed_line(std::string_view(input).substr(0, end));
      EXPECT_FALSE(answer.text.empty());
      input.erase(0, end + 1);
    }
    EXPECT_TRUE(is_well_formed(answer.text)) << answer.text;
    if (answer.exit) return false;
  }
  return true;
}

TEST_F(Sessions, AnswerAnythingWithRepliesOrEnd) {
  const std::vector<std::string> pieces = {"EHLO ",
                                           "HELO x",
                                           "MAIL FROM:<a@b>",
                                           " SIZE=9",
                                           " AUTH=<>",
                                           "RCPT TO:<c@example.org>",
                                           "RCPT TO:",
                                           "<",
                                           ">",
                                           "@",
                                           "[::1]",
                                           "\"",
                                           "\\",
                                           "DATA",
                                           "\r\n",
                                           "\r\n",
                                           "\r\n",
                                           ".\r\n",
                                           "\r",
                                           "RSET",
                                           "AUTH ",
                                           "LOGIN",
                                           "PLAIN ",
                                           "CRAM-MD5",
                                           "AGpvZQBzZWNyZXQ=",
                                           "am9l",
                                           "*",
                                           "=",
                                           "QUI",
                                           "Received: x\r\n",
                                           std::string("\0", 1),
                                           "\xff",
                                           " ",
                                           ":",
                                           "NOOP",
                                           "VRFY x",
                                           "HELP",
                                           std::string(600, 'x')};
  std::mt19937 random(20'020'802);  // always the same conversations
  for (int round = 0; round < 3000; ++round) {
    Session session = start();
    std::string input;
    for (int i = 0; i < 40; ++i) {
      input += pieces[random() % pieces.size()];
      if (!feed(session, input)) break;
    }
  }
  EXPECT_EQ(queue_.alive, 0);
}

TEST_F(Sessions, TryTheCheckerOnceAndOnlyWhenAuthMatters) {
  Session session = start();
  EXPECT_TRUE(session.greet().log.empty());
  session.feed_line("HELO x");
  session.feed_line("MAIL FROM:<a@b>");
  session.feed_line("RSET");
  EXPECT_EQ(checker_.trials, 0);
  session.feed_line("EHLO x");
  EXPECT_EQ(checker_.trials, 0);
  session.feed_line("AUTH LOGIN");
  session.feed_line("*");
  session.feed_line("AUTH LOGIN");
  EXPECT_EQ(checker_.trials, 1);
}

TEST_F(Sessions, GiveAMessageUpAsSoonAsItIsTooBig) {
  Session session = start();
  session.feed_line("MAIL FROM:<a@b>");
  session.feed_line("RCPT TO:<postmaster>");
  session.feed_line("DATA");
  session.feed_data(std::string(500, 'x'));
  EXPECT_EQ(queue_.alive, 1);
  session.feed_data("x");
  EXPECT_EQ(queue_.alive, 0);
  for (int i = 0; i < 8; ++i) session.feed_data(std::string(10'000, 'x'));
  EXPECT_TRUE(session.feed_data("\r\n.\r\n").answer.text.starts_with("552 "));
}

TEST_F(Sessions, EndWithTheRefusalOfAMessageThatNeverEnds) {
  Session session = start();
  session.feed_line("MAIL FROM:<a@b>");
  session.feed_line("RCPT TO:<postmaster>");
  session.feed_line("DATA");
  session.feed_data(std::string(500, 'x'));
  for (int i = 0; i < 9; ++i) {  // most_unread_bytes is 90'000 here
    EXPECT_FALSE(session.feed_data(std::string(10'000, 'x')).answer.exit) << i;
  }
  const auto last = session.feed_data("x").answer;
  EXPECT_TRUE(last.text.starts_with("552 ")) << last.text;
  EXPECT_EQ(last.exit, 1);
  EXPECT_TRUE(last.log.contains("192.0.2.9")) << last.log;
}

TEST_F(Sessions, NameAddressAndUserOfARefusedLoginInOneLineNobodyCanForge) {
  Session session = start();
  const auto log = [&](std::string_view user) {
    const auto bytes = std::string(1, '\0').append(user).append(1, '\0').append("wrong");
    return session.feed_line("AUTH PLAIN " + format_base64(bytes)).log;
  };
  EXPECT_EQ(log("joe@example.org"), "refused login from 192.0.2.9 as joe@example.org");
  EXPECT_EQ(log("a\nqmail-smtpd: refused login from 192.0.2.1 as b"),
            "refused login from 192.0.2.9 as a/qmail-smtpd:_refused_login_from_192.0.2.1_as_b");
  EXPECT_EQ(log(std::string(300, 'u')), "refused login from 192.0.2.9 as " + std::string(255, 'u'));
}

TEST_F(Sessions, CutLongNamesBeforeTheyGoIntoAHeader) {
  Session session = start();
  session.feed_line("EHLO " + std::string(10'000, 'h'));
  session.feed_line("MAIL FROM:<a@b> AUTH=" + std::string(10'000, 'a'));
  session.feed_line("RCPT TO:<postmaster>");
  session.feed_line("DATA");
  EXPECT_TRUE(queue_.trace.contains(std::string(255, 'h') + ")"));
  EXPECT_TRUE(queue_.trace.contains(std::string(255, 'a') + "@"));
  EXPECT_LT(queue_.trace.size(), 998U);
}

TEST_F(Sessions, BoundTheRecipientsOfAMessage) {
  Session session = start();
  session.feed_line("MAIL FROM:<a@b>");
  for (std::size_t i = 0; i < RecipientList::most; ++i) {
    ASSERT_EQ(session.feed_line("RCPT TO:<a>").text, "250 ok\r\n");
  }
  EXPECT_EQ(session.feed_line("RCPT TO:<a>").text, "452 too many recipients (#4.5.3)\r\n");
  EXPECT_EQ(session.feed_line("DATA").text, "354 go ahead\r\n");
}

TEST(SessionReplies, KeepTheStatusInBrackets) {
  EXPECT_EQ(format_reply(reply::want_mail), "503 MAIL first (#5.5.1)\r\n");
  EXPECT_EQ(format_reply(reply::ok), "250 ok\r\n");
  EXPECT_EQ(format_reply(reply::auth_required), "530 Authorization required (#5.7.1) \r\n");
}

}  // namespace
}  // namespace postern::smtpd

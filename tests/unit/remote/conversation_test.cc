#include "remote/conversation.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>

#include <algorithm>

#include "unit/remote/scripted_server.h"

namespace postern::remote {
namespace {

using Steps = std::vector<ScriptedServer::Step>;
using namespace std::string_literals;

Fd message_of(std::string_view text) {
  std::string path = testing::TempDir() + "messageXXXXXX";
  Fd fd(::mkostemp(path.data(), O_CLOEXEC));
  EXPECT_TRUE(fd);
  ::unlink(path.c_str());
  EXPECT_TRUE(write_all(fd.get(), text));
  ::lseek(fd.get(), 0, SEEK_SET);
  return fd;
}

const Steps hello{{"", "220 hi\r\n"}, {"EHLO me\r\n", "250 hi\r\n"}};
const Steps envelope_steps{{"MAIL FROM:<a@x>\r\n", "250 ok\r\n"},
                           {"RCPT TO:<b@y>\r\n", "250 ok\r\n"},
                           {"DATA\r\n", "354 go\r\n"}};

Steps operator+(Steps left, const Steps& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

const Envelope envelope{"me", "a@x", {"b@y"}, std::nullopt, std::nullopt};

// The report of delivering `text` to a server.
std::string converse(ScriptedServer& server, std::string_view text,
                     std::chrono::milliseconds timeout = std::chrono::seconds{20},
                     const Envelope& what = envelope) {
  const Fd message = message_of(text);
  Session session(what, "192.0.2.1");
  Conversation conversation(session, server.client());
  conversation.run(message.get(), timeout);
  conversation.quit();
  return session.report();
}

TEST(Conversation, DeliversAMessage) {
  ScriptedServer server(hello + envelope_steps + Steps{{"\r\n.\r\n", "250 done\r\n"}});
  EXPECT_EQ(converse(server, "Subject: x\n\n.dot\n"),
            "r\0K192.0.2.1 accepted message.\nRemote host said: 250 done\n\0"s);
  EXPECT_TRUE(server.received().ends_with("DATA\r\nSubject: x\r\n\r\n..dot\r\n.\r\nQUIT\r\n"));
}

TEST(Conversation, SendsAnEmptyMessage) {
  ScriptedServer server(hello + envelope_steps + Steps{{".\r\n", "250 done\r\n"}});
  EXPECT_TRUE(converse(server, "").contains("K192.0.2.1 accepted"));
}

TEST(Conversation, DeliversALargeMessage) {
  std::string text;
  while (text.size() < 5'000'000) text += "A line of a message that is as long as most are.\n";
  ScriptedServer server(hello + envelope_steps + Steps{{"\r\n.\r\n", "250 done\r\n"}});
  EXPECT_TRUE(converse(server, text).contains("K192.0.2.1 accepted"));
  const auto lines = static_cast<std::size_t>(std::ranges::count(text, '\n'));
  EXPECT_GT(server.received().size(), text.size() + lines);
}

TEST(Conversation, DoesNotStallOnThousandsOfRecipients) {
  // The server reads no further before it has written its replies; a client that read none before
  // it had written its commands would wait for ever.
  Envelope many{"me", "a@x", {}, std::nullopt, std::nullopt};
  std::string replies = "250 ok\r\n";
  for (int i = 0; i < 20000; ++i) {
    many.recipients.push_back("recipient" + std::to_string(i) + "@y.example");
    replies += "250 a reply that is long enough to fill the buffers of both sides\r\n";
  }
  ScriptedServer server(Steps{{"", "220 hi\r\n"},
                              {"EHLO me\r\n", "250-hi\r\n250 PIPELINING\r\n"},
                              {"MAIL FROM:<a@x>\r\n", replies},
                              {"DATA\r\n", "354 go\r\n"},
                              {"x\r\n.\r\n", "250 done\r\n"}});
  EXPECT_TRUE(converse(server, "x\n", std::chrono::seconds{20}, many).contains("K192.0.2.1"));
}

TEST(Conversation, SendsTheWholeMessageToRecipientsThatWereTooMany) {
  const Envelope two{"me", "a@x", {"b@y", "c@y"}, std::nullopt, 7};
  ScriptedServer server(hello + Steps{{"MAIL FROM:<a@x>\r\n", "250 ok\r\n"},
                                      {"RCPT TO:<b@y>\r\n", "250 ok\r\n"},
                                      {"RCPT TO:<c@y>\r\n", "452 too many\r\n"},
                                      {"DATA\r\n", "354 go\r\n"},
                                      {"second\r\n.\r\n", "250 first\r\n"},
                                      {"MAIL FROM:<a@x>\r\n", "250 ok\r\n"},
                                      {"RCPT TO:<c@y>\r\n", "250 ok\r\n"},
                                      {"DATA\r\n", "354 go\r\n"},
                                      {"second\r\n.\r\n", "250 second\r\n"}});
  const Fd message = message_of("not\nfirst\nsecond\n");
  ::lseek(message.get(), 4, SEEK_SET);  // where the message begins
  Session session(two, "192.0.2.1");
  Conversation conversation(session, server.client());
  conversation.run(message.get(), std::chrono::seconds{20});
  conversation.quit();
  EXPECT_TRUE(
      session.report().ends_with("Remote host said: 250 second\n\0K192.0.2.1 accepted "
                                 "message.\nRemote host said: 250 first\n\0"s));
  const std::string& received = server.received();
  EXPECT_TRUE(received.ends_with("RCPT TO:<c@y>\r\nDATA\r\nfirst\r\nsecond\r\n.\r\nQUIT\r\n"));
  EXPECT_FALSE(received.contains("not\r\n"));
}

// Whether another message may follow when the server does this after the first.
bool may_go_on(const Steps& end, bool closes) {
  ScriptedServer server(hello + envelope_steps + end, !closes);
  const Fd message = message_of("x\n");
  Session session(envelope, "192.0.2.1");
  Conversation conversation(session, server.client());
  conversation.run(message.get(), std::chrono::seconds{20});
  EXPECT_TRUE(session.is_open());
  // A server that closes does so now at the latest.
  if (closes) {
    EXPECT_TRUE(wait_for(server.client(), POLLIN, Deadline::after(std::chrono::seconds{20})));
  }
  return conversation.may_go_on();
}

TEST(Conversation, GoesOnWithAServerThatWaits) {
  EXPECT_TRUE(may_go_on({{"\r\n.\r\n", "250 done\r\n"}}, false));
}

TEST(Conversation, DoesNotGoOnWithAServerThatHasSaidMoreOrGone) {
  EXPECT_FALSE(may_go_on({{"\r\n.\r\n", "250 done\r\n421 idle\r\n"}}, false));
  EXPECT_FALSE(may_go_on({{"\r\n.\r\n", "250 done\r\n"}}, true));
}

TEST(Conversation, NeverEndsAMessageWithAPartialLine) {
  ScriptedServer server(hello + envelope_steps);
  EXPECT_EQ(converse(server, "Subject: x\n\nhalf"),
            "r\0DSMTP cannot transfer messages with partial final lines. (#5.6.2)\n\0"s);
  EXPECT_FALSE(server.received().contains("\r\n.\r\n"));
  EXPECT_FALSE(server.received().contains("QUIT"));
}

TEST(Conversation, NeverEndsAMessageThatCannotBeRead) {
  ScriptedServer server(hello + envelope_steps);
  Session session(envelope, "192.0.2.1");
  const Fd directory(::open("/", O_RDONLY | O_CLOEXEC));
  Conversation conversation(session, server.client());
  conversation.run(directory.get(), std::chrono::seconds{20});
  conversation.quit();
  EXPECT_EQ(session.report(), "r\0ZUnable to read message. (#4.3.0)\n\0"s);
  EXPECT_FALSE(server.received().contains("\r\n.\r\n"));
}

TEST(Conversation, ReportsAServerThatCloses) {
  const std::string died = "ZConnected to 192.0.2.1 but connection died. (#4.4.2)\n\0"s;
  ScriptedServer at_once({}, false);
  EXPECT_EQ(converse(at_once, "x\n"), died);
  ScriptedServer after_hello(hello, false);
  EXPECT_EQ(converse(after_hello, "x\n"), died);
  ScriptedServer in_a_reply(Steps{{"", "220-hi\r\n22"}}, false);
  EXPECT_EQ(converse(in_a_reply, "x\n"), died);
  ScriptedServer after_data(hello + envelope_steps + Steps{{"\r\n.\r\n", ""}}, false);
  EXPECT_EQ(converse(after_data, "x\n"),
            "r\0ZConnected to 192.0.2.1 but connection died. Possible duplicate! (#4.4.2)\n\0"s);
}

TEST(Conversation, ReportsAServerThatSaysNothing) {
  ScriptedServer server(hello);
  EXPECT_EQ(converse(server, "x\n", std::chrono::milliseconds{200}),
            "ZConnected to 192.0.2.1 but connection died. (#4.4.2)\n\0"s);
}

TEST(Conversation, CountsTheTimeOfAWholeReply) {
  // Were each byte given its own time, the greeting would be whole in the end.
  Steps drip{{"", "220 "}};
  for (int i = 0; i < 300; ++i) drip.push_back({"", "x", std::chrono::milliseconds{10}});
  ScriptedServer server(drip + Steps{{"", "\r\n"}, {"EHLO", "421 too late\r\n"}});
  EXPECT_TRUE(converse(server, "x\n", std::chrono::milliseconds{200}).contains("connection died"));
}

TEST(Conversation, HearsWhyAServerStopsTakingAMessage) {
  std::string text;  // more than the buffers of both sides hold
  text.resize(20'000'000, 'x');
  text += '\n';
  ScriptedServer server(hello + envelope_steps + Steps{{"x", "552 too big for me\r\n"}}, false);
  EXPECT_EQ(
      converse(server, text),
      "r\0D192.0.2.1 failed after I sent the message.\nRemote host said: 552 too big for me\n\0"s);
}

TEST(Conversation, TakesNoSuccessForAMessageThatIsNotOut) {
  std::string text;  // more than the buffers of both sides hold
  text.resize(20'000'000, 'x');
  text += '\n';
  ScriptedServer server(hello + envelope_steps + Steps{{"xx", "250 done\r\n"}}, false);
  EXPECT_TRUE(converse(server, text).starts_with("r\0ZConnected to 192.0.2.1 but it answered"s));
}

TEST(Conversation, ReportsGarbage) {
  ScriptedServer server(Steps{{"", "SSH-2.0-OpenSSH\r\n"}});
  EXPECT_TRUE(converse(server, "x\n").contains("SMTP protocol. (#4.5.0)"));
}

}  // namespace
}  // namespace postern::remote

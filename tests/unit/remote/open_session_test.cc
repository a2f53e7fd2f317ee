// A session that goes on with another message over its connection.
#include <gtest/gtest.h>

#include "unit/remote/session_dialogue.h"

namespace postern::remote {
namespace {

using namespace std::string_literals;

// A session that has a message behind it, over a server with or without PIPELINING.
class OpenSession : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    dialogue_.stays = true;
    dialogue_.say("220 hi\r\n" + GetParam());
  }
  [[nodiscard]] bool pipelines() const { return GetParam() == pipelining_hello; }
  void deliver_first() {
    dialogue_.say("250 ok\r\n250 ok\r\n354 go\r\n");
    dialogue_.answer("250 done\r\n");
    ASSERT_TRUE(dialogue_.session.is_open());
  }
  // What is sent for the next message.
  std::string go_on() {
    dialogue_.session.go_on(envelope({"c@y"}));
    return dialogue_.session.take_output();
  }
  [[nodiscard]] std::string mail() const {
    const std::string mail = "MAIL FROM:<a@x>\r\n";
    return pipelines() ? mail + "RCPT TO:<c@y>\r\nDATA\r\n" : mail;
  }

  Dialogue dialogue_{envelope()};
};
INSTANTIATE_TEST_SUITE_P(Both, OpenSession, ::testing::Values(plain_hello, pipelining_hello));

TEST_P(OpenSession, TakesAnotherMessage) {
  deliver_first();
  EXPECT_EQ(go_on(), mail());
  dialogue_.say("250 ok\r\n550 no\r\n");
  if (pipelines()) dialogue_.say("503 RCPT first\r\n");
  EXPECT_FALSE(dialogue_.session.is_stale());
  EXPECT_EQ(dialogue_.session.report(),
            record("h192.0.2.1 does not like recipient.\nRemote host said: 550 no\n") +
                record("DGiving up on 192.0.2.1.\n"));
}

TEST_P(OpenSession, IsResetAfterATransactionWithoutAnEnd) {
  dialogue_.say("250 ok\r\n550 no\r\n");
  if (pipelines()) dialogue_.say("503 RCPT first\r\n");
  ASSERT_TRUE(dialogue_.session.is_open());
  EXPECT_EQ(go_on(), "RSET\r\n");
  EXPECT_EQ(dialogue_.say("250 ok\r\n"), mail());
  dialogue_.say("250 ok\r\n250 ok\r\n354 go\r\n");
  dialogue_.answer("250 done\r\n");
  EXPECT_EQ(dialogue_.session.report(),
            accepted + record("K192.0.2.1 accepted message.\nRemote host said: 250 done\n"));
}

TEST_P(OpenSession, IsOverWithARefusedMessageOnlyWhenTheServerSaysSo) {
  for (const std::string& answer : {"451 later\r\n"s, "554 never\r\n"s, "421 bye\r\n"s}) {
    Dialogue dialogue(envelope());
    dialogue.stays = true;
    dialogue.say("220 hi\r\n" + GetParam() + "250 ok\r\n250 ok\r\n354 go\r\n");
    dialogue.answer(answer);
    EXPECT_EQ(dialogue.session.is_open(), answer != "421 bye\r\n") << answer;
  }
}

TEST_P(OpenSession, IsOverAfterWhatIsOutOfOrder) {
  const std::string hello = "220 hi\r\n" + GetParam();
  for (const std::string& replies :
       {"354 what\r\n"s, "250 ok\r\n250 ok\r\n250 not 354\r\n"s,
        "250 ok\r\n250 ok\r\n354 go\r\n552 early\r\n"s, "250 ok\r\n421 bye\r\n503 no\r\n"s}) {
    Dialogue dialogue(envelope());
    dialogue.stays = true;
    dialogue.say(hello + replies);
    EXPECT_TRUE(dialogue.session.finished()) << replies;
    EXPECT_FALSE(dialogue.session.is_open()) << replies;
  }
  Dialogue dead(envelope());
  dead.say(hello + "250 ok\r\n");
  dead.session.on_connection_lost();
  EXPECT_FALSE(dead.session.is_open());
}

TEST_P(OpenSession, IsNotTakenForOpenWhileRepliesAreUnderWay) {
  dialogue_.say("550 you again\r\n");
  EXPECT_EQ(dialogue_.session.is_open(), !pipelines());
}

TEST_P(OpenSession, ThatIsOverMeansAFreshStartBeforeTheMessageIsOut) {
  for (const std::string& replies :
       {""s, "250 ok\r\n"s, "250 ok\r\n250 ok\r\n"s, "250 ok\r\n250 ok\r\n354 go\r\n"s}) {
    for (const bool says_so : {true, false}) {
      Dialogue dialogue(envelope());
      dialogue.stays = true;
      dialogue.say("220 hi\r\n" + GetParam() + "250 ok\r\n250 ok\r\n354 go\r\n");
      dialogue.answer("250 done\r\n");
      dialogue.session.go_on(envelope());
      dialogue.say(replies);
      if (says_so) {
        dialogue.say("421 closing\r\n");
      } else {
        dialogue.session.on_connection_lost();
      }
      EXPECT_TRUE(dialogue.session.is_stale()) << replies << says_so;
      EXPECT_FALSE(dialogue.session.is_open());
    }
  }
}

TEST_P(OpenSession, WhoseServerIsTiredOfItMeansAFreshStart) {
  deliver_first();
  go_on();
  dialogue_.say("450 one message a connection\r\n");
  EXPECT_TRUE(dialogue_.session.is_stale());
}

TEST_P(OpenSession, IsNeverStaleOnceTheMessageIsOut) {
  deliver_first();
  go_on();
  dialogue_.say("250 ok\r\n250 ok\r\n354 go\r\n");
  dialogue_.session.message_ending();
  dialogue_.session.on_connection_lost();
  EXPECT_FALSE(dialogue_.session.is_stale());
  EXPECT_EQ(dialogue_.session.report(),
            accepted + record("ZConnected to 192.0.2.1 but connection died. "
                              "Possible duplicate! (#4.4.2)\n"));
}

TEST_P(OpenSession, IsNeverStaleOnceTheMessageIsDeliveredToSome) {
  deliver_first();
  Envelope two = envelope({"c@y", "d@y"});
  two.message_bytes = 1;
  dialogue_.session.go_on(two);
  dialogue_.say("250 ok\r\n250 ok\r\n452 too many\r\n354 go\r\n");
  dialogue_.answer("250 first\r\n");
  dialogue_.session.on_connection_lost();
  EXPECT_FALSE(dialogue_.session.is_stale());
  EXPECT_EQ(dialogue_.session.report(), accepted + too_many + first_accepted);
}

TEST_P(OpenSession, ReportsAServerThatFallsSilent) {
  deliver_first();
  go_on();
  dialogue_.session.on_timeout();
  EXPECT_FALSE(dialogue_.session.is_stale());
  EXPECT_EQ(dialogue_.session.report(),
            record("ZConnected to 192.0.2.1 but connection died. (#4.4.2)\n"));
}

TEST(Session, KeepsItsLoginForAnotherMessage) {
  Dialogue dialogue(with_credentials());
  dialogue.stays = true;
  dialogue.say(
      "220 hi\r\n250-hi\r\n250 AUTH PLAIN\r\n334 \r\n235 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n");
  dialogue.answer("250 done\r\n");
  ASSERT_TRUE(dialogue.session.is_open());
  dialogue.session.go_on(with_credentials());
  EXPECT_EQ(dialogue.session.take_output(), "MAIL FROM:<a@x> AUTH=trottel\r\n");
}

}  // namespace
}  // namespace postern::remote

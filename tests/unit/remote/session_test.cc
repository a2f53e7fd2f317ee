#include "remote/session.h"

#include <gtest/gtest.h>

#include "unit/remote/session_dialogue.h"

namespace postern::remote {
namespace {

using namespace std::string_literals;

const std::string lone_dot = ".\r\n";

TEST(Session, DeliversCommandByCommand) {
  Dialogue dialogue(envelope({"b@y", "c@y"}));
  EXPECT_EQ(dialogue.say("220 mail.example ESMTP\r\n"), "EHLO me.example\r\n");
  EXPECT_EQ(dialogue.say(plain_hello), "MAIL FROM:<a@x>\r\n");
  EXPECT_EQ(dialogue.say("250 ok\r\n"), "RCPT TO:<b@y>\r\n");
  EXPECT_EQ(dialogue.say("250 ok\r\n"), "RCPT TO:<c@y>\r\n");
  EXPECT_EQ(dialogue.say("251 ok\r\n"), "DATA\r\n");
  EXPECT_EQ(dialogue.say("354 go\r\n"), "");
  EXPECT_TRUE(dialogue.session.wants_message());
  dialogue.session.message_sent();
  EXPECT_EQ(dialogue.say("250-queued\r\n250 as 1\r\n"), "QUIT\r\n");
  EXPECT_TRUE(dialogue.session.finished());
  EXPECT_EQ(dialogue.session.report(),
            accepted + accepted +
                record("K192.0.2.1 accepted message.\nRemote host said: 250-queued\n250 as 1\n"));
}

TEST(Session, GathersCommandsWhenPipeliningIsOffered) {
  Dialogue dialogue(envelope({"b@y", "c@y"}));
  dialogue.say("220 hi\r\n");
  EXPECT_EQ(dialogue.say(pipelining_hello),
            "MAIL FROM:<a@x>\r\nRCPT TO:<b@y>\r\nRCPT TO:<c@y>\r\nDATA\r\n");
  EXPECT_EQ(dialogue.say("250 ok\r\n250 ok\r\n550 no c\r\n354 go\r\n"), "");
  EXPECT_TRUE(dialogue.session.wants_message());
  dialogue.session.message_sent();
  EXPECT_EQ(dialogue.say("250 done\r\n"), "QUIT\r\n");
  EXPECT_EQ(dialogue.session.report(),
            accepted +
                record("h192.0.2.1 does not like recipient.\nRemote host said: 550 no c\n"
                       "Giving up on 192.0.2.1.\n") +
                record("K192.0.2.1 accepted message.\nRemote host said: 250 done\n"));
}

TEST(Session, GivesAServerThatWantsAMessageForNobodyAnEmptyOne) {
  for (const std::string& answer : {"554 no recipients\r\n"s, "250 whatever\r\n"s}) {
    Dialogue dialogue(envelope());
    dialogue.say("220 hi\r\n");
    dialogue.say(pipelining_hello);
    EXPECT_EQ(dialogue.say("250 ok\r\n550 no\r\n354 go\r\n"), lone_dot);
    EXPECT_FALSE(dialogue.session.wants_message());
    EXPECT_EQ(dialogue.say(answer), "QUIT\r\n");
    EXPECT_EQ(dialogue.session.report(),
              record("h192.0.2.1 does not like recipient.\nRemote host said: 550 no\n") +
                  record("DGiving up on 192.0.2.1.\n"));
  }
}

TEST(Session, GivesUpWhenNoRecipientIsTaken) {
  for (const std::string& hello : {plain_hello, pipelining_hello}) {
    Dialogue dialogue(envelope({"b@y", "c@y"}));
    dialogue.say("220 hi\r\n");
    dialogue.say(hello);
    dialogue.say("250 ok\r\n");
    dialogue.say("550 no b\r\n");
    dialogue.say("451 not now\r\n");
    if (hello == pipelining_hello) dialogue.say("503 RCPT first\r\n");
    EXPECT_EQ(dialogue.session.report(),
              record("h192.0.2.1 does not like recipient.\nRemote host said: 550 no b\n") +
                  record("s192.0.2.1 does not like recipient.\nRemote host said: 451 not now\n") +
                  record("DGiving up on 192.0.2.1.\n"));
  }
}

// A server that takes one recipient in a transaction.
class TooManyRecipients : public ::testing::TestWithParam<std::string> {
 protected:
  static Envelope three() {
    Envelope what = envelope({"b@y", "c@y", "d@y"});
    what.message_bytes = 1;
    return what;
  }
  // A transaction up to the message, which the server then answers.
  void take_first_of(int recipients, const std::string& answer) {
    std::string replies = "250 ok\r\n250 ok\r\n";
    while (--recipients > 0) replies += "452 too many\r\n";
    dialogue_.say(replies + "354 go\r\n");
    ASSERT_TRUE(dialogue_.session.wants_message());
    dialogue_.session.message_sent();
    sent_ = dialogue_.say(answer);
  }
  void SetUp() override { dialogue_.say("220 hi\r\n" + GetParam()); }

  Dialogue dialogue_{three()};
  std::string sent_;
};
INSTANTIATE_TEST_SUITE_P(Both, TooManyRecipients, ::testing::Values(plain_hello, pipelining_hello));

TEST_P(TooManyRecipients, AreSentTheMessageInFurtherTransactions) {
  take_first_of(3, "250 first\r\n");
  EXPECT_EQ(sent_, GetParam() == plain_hello
                       ? "MAIL FROM:<a@x>\r\n"
                       : "MAIL FROM:<a@x>\r\nRCPT TO:<c@y>\r\nRCPT TO:<d@y>\r\nDATA\r\n");
  take_first_of(2, "250 second\r\n");
  take_first_of(1, "250 third\r\n");
  EXPECT_EQ(sent_, "QUIT\r\n");
  EXPECT_EQ(dialogue_.session.report(),
            accepted + record("r192.0.2.1 accepted message.\nRemote host said: 250 second\n") +
                record("r192.0.2.1 accepted message.\nRemote host said: 250 third\n") +
                first_accepted);
}

TEST_P(TooManyRecipients, HaveTheirOwnFailures) {
  take_first_of(3, "250 first\r\n");
  take_first_of(2, "554 no\r\n");
  EXPECT_EQ(sent_, "QUIT\r\n");
  EXPECT_EQ(dialogue_.session.report(),
            accepted +
                record("h192.0.2.1 failed after I sent the message.\nRemote host said: 554 no\n") +
                too_many + first_accepted);
}

TEST_P(TooManyRecipients, AreTriedAgainLaterWhenTheConnectionDies) {
  take_first_of(3, "250 first\r\n");
  dialogue_.say("250 ok\r\n250 ok\r\n452 too many\r\n354 go\r\n");
  dialogue_.session.message_sent();
  dialogue_.session.on_connection_lost();
  EXPECT_EQ(dialogue_.session.report(),
            accepted +
                record("sConnected to 192.0.2.1 but connection died. Possible duplicate! "
                       "(#4.4.2)\n") +
                too_many + first_accepted);
}

TEST_P(TooManyRecipients, AreTriedAgainLaterWhenThereIsNoFurtherTransaction) {
  take_first_of(3, "250 first\r\n");
  dialogue_.say("450 one message is enough\r\n");
  EXPECT_EQ(dialogue_.session.report(), accepted + too_many + too_many + first_accepted);
}

TEST_P(TooManyRecipients, AreNotAskedAboutForEver) {
  take_first_of(3, "250 first\r\n");
  dialogue_.say("250 ok\r\n452 too many\r\n452 too many\r\n");
  if (GetParam() == pipelining_hello) dialogue_.say("503 RCPT first\r\n");
  EXPECT_TRUE(dialogue_.session.finished());
  EXPECT_EQ(dialogue_.session.report(), accepted + too_many + too_many + first_accepted);
}

TEST_P(TooManyRecipients, WaitWhenTheMessageWasNotTaken) {
  take_first_of(3, "451 not now\r\n");
  EXPECT_EQ(sent_, "QUIT\r\n");
  EXPECT_EQ(dialogue_.session.report(), accepted + too_many + too_many +
                                            record("Z192.0.2.1 failed after I sent the message.\n"
                                                   "Remote host said: 451 not now\n"));
}

TEST(Session, FallsBackToHelo) {
  Dialogue dialogue(envelope());
  dialogue.say("220 hi\r\n");
  EXPECT_EQ(dialogue.say("502 unimplemented\r\n"), "HELO me.example\r\n");
  EXPECT_EQ(dialogue.say("250 hi\r\n"), "MAIL FROM:<a@x>\r\n");
}

TEST(Session, ReportsRefusals) {
  const std::string hello = "220 hi\r\n" + plain_hello;
  EXPECT_EQ(report_after(envelope(), "421 busy\r\n"),
            record("ZConnected to 192.0.2.1 but greeting failed.\nRemote host said: 421 busy\n"));
  EXPECT_EQ(report_after(envelope(), "554 no\r\n"),
            record("ZConnected to 192.0.2.1 but greeting failed.\nRemote host said: 554 no\n"));
  EXPECT_EQ(report_after(envelope(), "220 hi\r\n500 what\r\n550 you\r\n"),
            record("ZConnected to 192.0.2.1 but my name was rejected.\n"
                   "Remote host said: 550 you\n"));
  EXPECT_EQ(report_after(envelope(), hello + "550 spammer\r\n"),
            record("DConnected to 192.0.2.1 but sender was rejected.\n"
                   "Remote host said: 550 spammer\n"));
  EXPECT_EQ(report_after(envelope(), hello + "451-wait\r\n451 please\r\n"),
            record("ZConnected to 192.0.2.1 but sender was rejected.\n"
                   "Remote host said: 451-wait\n451 please\n"));
  EXPECT_EQ(report_after(envelope(), hello + "250 ok\r\n250 ok\r\n554 no\r\n"),
            accepted + record("D192.0.2.1 failed on DATA command.\nRemote host said: 554 no\n"));
  EXPECT_EQ(report_after(envelope(), hello + "250 ok\r\n250 ok\r\n451 later\r\n"),
            accepted + record("Z192.0.2.1 failed on DATA command.\nRemote host said: 451 later\n"));
}

TEST(Session, ReportsRefusalsAfterTheMessage) {
  for (const auto& [reply, letter] : {std::pair{"554 virus", 'D'}, {"451 full", 'Z'}}) {
    Dialogue dialogue(envelope());
    dialogue.say("220 hi\r\n" + plain_hello + "250 ok\r\n250 ok\r\n354 go\r\n");
    dialogue.session.message_sent();
    dialogue.say(reply + "\r\n"s);
    EXPECT_EQ(dialogue.session.report(),
              accepted + record(letter + "192.0.2.1 failed after I sent the message.\n"s +
                                "Remote host said: " + reply + "\n"));
  }
}

TEST(Session, TakesARefusalBeforeTheMessageIsWhole) {
  Dialogue dialogue(envelope());
  dialogue.say("220 hi\r\n" + plain_hello + "250 ok\r\n250 ok\r\n354 go\r\n");
  EXPECT_EQ(dialogue.say("552 too big\r\n"), "");  // a QUIT would be text of the message
  EXPECT_EQ(dialogue.session.report(),
            accepted + record("D192.0.2.1 failed after I sent the message.\n"
                              "Remote host said: 552 too big\n"));
}

TEST(Session, NeverTakesAnEarlySuccessForDelivery) {
  Dialogue dialogue(envelope());
  dialogue.say("220 hi\r\n" + plain_hello + "250 ok\r\n250 ok\r\n354 go\r\n250 ok\r\n");
  EXPECT_TRUE(dialogue.session.finished());
  EXPECT_TRUE(dialogue.session.report().starts_with(accepted + "Z")) << dialogue.session.report();
}

TEST(Session, TakesNoSuccessBeforeTheEndOfTheMessageIsOut) {
  Dialogue dialogue(envelope());
  dialogue.say("220 hi\r\n" + plain_hello + "250 ok\r\n250 ok\r\n354 go\r\n");
  dialogue.session.message_ending();
  dialogue.say("250 ok\r\n");
  EXPECT_EQ(dialogue.session.report(),
            accepted + record("ZConnected to 192.0.2.1 but it answered against the SMTP protocol. "
                              "Possible duplicate! (#4.5.0)\nRemote host said: 250 ok\n"));
}

TEST(Session, SpeaksOfAPossibleDuplicateOnlyOnceTheMessageIsOut) {
  Dialogue before(envelope());
  before.say("220 hi\r\n" + plain_hello + "250 ok\r\n250 ok\r\n354 go\r\n");
  before.session.on_connection_lost();
  EXPECT_EQ(before.session.report(),
            accepted + record("ZConnected to 192.0.2.1 but connection died. (#4.4.2)\n"));

  Dialogue after(envelope());
  after.say("220 hi\r\n" + plain_hello + "250 ok\r\n250 ok\r\n354 go\r\n");
  after.session.message_sent();
  after.session.on_connection_lost();
  EXPECT_EQ(after.session.report(),
            accepted + record("ZConnected to 192.0.2.1 but connection died. "
                              "Possible duplicate! (#4.4.2)\n"));
}

TEST(Session, KeepsWhatRecipientsWereToldWhenTheConnectionDies) {
  Dialogue dialogue(envelope({"b@y", "c@y"}));
  dialogue.say("220 hi\r\n" + plain_hello + "250 ok\r\n550 no\r\n");
  dialogue.session.on_connection_lost();
  EXPECT_EQ(dialogue.session.report(),
            record("h192.0.2.1 does not like recipient.\nRemote host said: 550 no\n"
                   "Giving up on 192.0.2.1.\n") +
                record("ZConnected to 192.0.2.1 but connection died. (#4.4.2)\n"));
}

TEST(Session, MayAskAnotherHostOnlyBeforeTheGreeting) {
  Dialogue greeted(envelope());
  greeted.say("220 hi\r\n");
  greeted.session.on_connection_lost();
  EXPECT_FALSE(greeted.session.was_not_greeted());
  Dialogue refused(envelope());
  refused.say("554 no\r\n");
  EXPECT_TRUE(refused.session.was_not_greeted());
  Dialogue dead(envelope());
  dead.session.on_connection_lost();
  EXPECT_TRUE(dead.session.was_not_greeted());
  Dialogue odd(envelope());
  odd.session.on_malformed_reply("SSH-2.0\n");
  EXPECT_TRUE(odd.session.was_not_greeted());
}

TEST(Session, ReportsWhatIsNotSmtp) {
  Dialogue dialogue(envelope());
  dialogue.session.on_malformed_reply("SSH-2.0-x \n");
  EXPECT_EQ(dialogue.session.report(),
            record("ZConnected to 192.0.2.1 but it answered against the SMTP protocol. (#4.5.0)\n"
                   "Remote host said: SSH-2.0-x \n"));
  Dialogue late(envelope());
  late.say("220 hi\r\n" + plain_hello + "250 ok\r\n250 ok\r\n354 go\r\n");
  late.session.message_sent();
  late.session.on_malformed_reply("ok\n");
  EXPECT_TRUE(late.session.report().contains("Possible duplicate! "));
}

TEST(Session, TakesNoIntermediateReplyForAnAnswer) {
  const std::string hello = "220 hi\r\n" + plain_hello;
  for (const std::string& replies :
       {"354 a\r\n"s, "250 ok\r\n354 a\r\n"s, "250 ok\r\n250 ok\r\n250 not 354\r\n"s}) {
    EXPECT_TRUE(
        report_after(envelope(), hello + replies).contains("ZConnected to 192.0.2.1 but it"))
        << replies;
  }
}

TEST(Session, TellsTheSizeToAServerThatAsks) {
  Envelope what = envelope();
  what.message_bytes = 1000;
  Dialogue dialogue(what);
  dialogue.say("220 hi\r\n");
  EXPECT_EQ(dialogue.say("250-hi\r\n250 SIZE 1000\r\n"), "MAIL FROM:<a@x> SIZE=1000\r\n");
  EXPECT_EQ(report_after(what, "220 hi\r\n250-hi\r\n250 SIZE 999\r\n"),
            record("DSorry, the message has 1000 bytes and 192.0.2.1 takes no more than 999. "
                   "(#5.3.4)\n"));
  EXPECT_EQ(report_after(what, "220 hi\r\n250-hi\r\n250 SIZE 0\r\n"), "");
}

TEST(Session, QuotesLocalParts) {
  Envelope what = envelope({"joe \"x\" doe@y"});
  what.sender = "";
  Dialogue dialogue(what);
  dialogue.say("220 hi\r\n");
  EXPECT_EQ(dialogue.say(plain_hello), "MAIL FROM:<>\r\n");
  EXPECT_EQ(dialogue.say("250 ok\r\n"), "RCPT TO:<\"joe \\\"x\\\" doe\"@y>\r\n");
}

TEST(Session, PassesOverAnAddressThatWouldBeACommand) {
  for (const std::string& hello : {plain_hello, pipelining_hello}) {
    Dialogue dialogue(envelope({"b@y>\r\nDATA", "c\n@y", "d@y"}));
    std::string sent;
    for (const std::string& reply :
         {"220 hi\r\n"s, hello, "250 ok\r\n"s, "250 ok\r\n"s, "354 ok\r\n"s}) {
      sent += dialogue.say(reply);
    }
    EXPECT_EQ(sent, "EHLO me.example\r\nMAIL FROM:<a@x>\r\nRCPT TO:<d@y>\r\nDATA\r\n");
    dialogue.session.message_sent();
    dialogue.say("250 ok\r\n");
    const std::string unsendable = record("h" + std::string(unsendable_recipient));
    std::string start = unsendable;
    start.append(unsendable).append(accepted).append("K");
    EXPECT_TRUE(dialogue.session.report().starts_with(start));
  }
}

TEST(IsSendable, RefusesWhatWouldLeaveTheCommand) {
  EXPECT_TRUE(is_sendable(""));
  EXPECT_TRUE(is_sendable("#@[]"));
  EXPECT_TRUE(is_sendable("joe doe@[IPv6:::1]"));
  EXPECT_TRUE(is_sendable("\xc3\xa4@example.org"));
  for (const std::string& address :
       {"a\r@x"s, "a\n@x"s, "a\0@x"s, "a\x7f@x"s, "a@x\r\n"s, "a@x y"s, "a@x>"s, "a@<x"s}) {
    EXPECT_FALSE(is_sendable(address)) << address;
  }
}

}  // namespace
}  // namespace postern::remote

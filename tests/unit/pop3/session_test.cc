// The dialogue after the login, on a mailbox of three messages.
#include "pop3/session.h"

#include <gtest/gtest.h>

namespace postern::pop3 {
namespace {

class PopSession : public testing::Test {
 protected:
  PopSession() {
    mailbox_.add(Folder::fresh, "3.c.host", 300, 30);
    mailbox_.add(Folder::seen, "1.a.host:2,S", 100, 10);
    mailbox_.add(Folder::fresh, "2.b.host", 20, 20);
    mailbox_.sort();
    session_.emplace(mailbox_);
  }
  // The reply as text; what it makes the connection do stands in front.
  std::string say(std::string_view line) {
    const Reply reply = session_->feed(line);
    switch (reply.then) {
      case Reply::Then::go_on:
        return reply.text;
      case Reply::Then::list_sizes:
        return reply.text + list(&Session::size_line);
      case Reply::Then::list_ids:
        return reply.text + list(&Session::id_line);
      case Reply::Then::send_message:
        return "send " + std::to_string(reply.message) +
               (reply.body_lines ? " lines " + std::to_string(*reply.body_lines) : "");
      case Reply::Then::quit:
        return "quit";
    }
    return "";
  }
  std::string list(std::string (Session::*line)(std::size_t) const) {
    std::string text;
    for (std::size_t i = 0; i < mailbox_.size(); ++i) text += ((*session_).*line)(i);
    return text;
  }

  Mailbox mailbox_;
  std::optional<Session> session_;
};

TEST_F(PopSession, StatCountsMessagesAndBytes) { EXPECT_EQ(say("STAT\r"), "+OK 3 420\r\n"); }

TEST_F(PopSession, ListShowsTheOldestFirst) {
  EXPECT_EQ(say("LIST\r"), "+OK \r\n1 100\r\n2 20\r\n3 300\r\n");
  EXPECT_EQ(say("list 2"), "+OK 2 20\r\n");
}

TEST_F(PopSession, UidlIsTheFileNameWithoutFlags) {
  EXPECT_EQ(say("UIDL"), "+OK \r\n1 1.a.host\r\n2 2.b.host\r\n3 3.c.host\r\n");
  EXPECT_EQ(say("UIDL 1"), "+OK 1 1.a.host\r\n");
}

TEST_F(PopSession, RetrAndTopAskForAMessage) {
  EXPECT_EQ(say("RETR 3"), "send 2");
  EXPECT_EQ(say("RETR  3  \r"), "send 2");
  EXPECT_EQ(say("TOP 1 0"), "send 0 lines 0");
  EXPECT_EQ(say("TOP 1 10"), "send 0 lines 10");
  EXPECT_EQ(say("TOP 1"), "send 0");
}

TEST_F(PopSession, TopOfMoreLinesThanFitIntoANumberIsAllLines) {
  EXPECT_EQ(say("TOP 1 99999999999999999999999"), "send 0 lines 18446744073709551615");
}

TEST_F(PopSession, DeletedMessagesAreGoneFromTheSession) {
  EXPECT_EQ(say("DELE 2"), "+OK \r\n");
  EXPECT_EQ(say("STAT"), "+OK 2 400\r\n");
  EXPECT_EQ(say("LIST"), "+OK \r\n1 100\r\n3 300\r\n");
  EXPECT_EQ(say("UIDL"), "+OK \r\n1 1.a.host\r\n3 3.c.host\r\n");
  for (const char* line : {"DELE 2", "RETR 2", "TOP 2 1", "LIST 2", "UIDL 2"}) {
    EXPECT_EQ(say(line), "-ERR already deleted\r\n") << line;
  }
  EXPECT_EQ(session_->marks().deleted, (std::vector<bool>{false, true, false}));
}

TEST_F(PopSession, RsetTakesDeletionsBack) {
  say("DELE 1");
  EXPECT_EQ(say("RSET"), "+OK \r\n");
  EXPECT_EQ(say("STAT"), "+OK 3 420\r\n");
  EXPECT_EQ(session_->marks().deleted, std::vector<bool>(3));
}

TEST_F(PopSession, NumbersThatAreNoMessageAreRefused) {
  for (const char* verb : {"RETR ", "DELE ", "LIST ", "UIDL ", "TOP "}) {
    EXPECT_EQ(say(std::string(verb) + "0"), "-ERR messages are counted from 1\r\n") << verb;
    EXPECT_EQ(say(std::string(verb) + "4"), "-ERR not that many messages\r\n") << verb;
    for (const char* number :
         {"4294967297", "18446744073709551617", "99999999999999999999999999"}) {
      EXPECT_EQ(say(verb + std::string(number)), "-ERR not that many messages\r\n") << verb;
    }
    for (const char* number : {"-1", "+1", "1x", "x", "0x1"}) {
      EXPECT_EQ(say(verb + std::string(number)), "-ERR syntax error\r\n") << verb << number;
    }
  }
  for (const char* line : {"RETR", "DELE", "TOP", "RETR 1 2", "DELE 1 2", "TOP 1 x", "TOP 1 -1"}) {
    EXPECT_EQ(say(line), "-ERR syntax error\r\n") << line;
  }
  EXPECT_EQ(session_->marks().deleted, std::vector<bool>(3));
}

TEST_F(PopSession, LastIsTheHighestNumberReadOrDeleted) {
  EXPECT_EQ(say("LAST"), "+OK 0\r\n");
  session_->message_was_sent(1);
  EXPECT_EQ(say("LAST"), "+OK 2\r\n");
  say("DELE 1");
  EXPECT_EQ(say("LAST"), "+OK 2\r\n");
  say("DELE 3");
  EXPECT_EQ(say("LAST"), "+OK 3\r\n");
  say("RSET");
  EXPECT_EQ(say("LAST"), "+OK 0\r\n");
}

TEST_F(PopSession, OtherVerbs) {
  EXPECT_EQ(say("NOOP"), "+OK \r\n");
  EXPECT_EQ(say("QUIT"), "quit");
  EXPECT_TRUE(say("CAPA").ends_with("\r\n.\r\n"));
  for (const char* line : {"", "USER joe", "XTND", "RETR1", "\0"}) {
    EXPECT_EQ(say(line), "-ERR unimplemented\r\n") << line;
  }
}

TEST(PopMailbox, MessagesOfOneMomentAreOrderedByName) {
  Mailbox mailbox;
  mailbox.add(Folder::fresh, "b", 1, 5);
  mailbox.add(Folder::seen, "a:2,", 1, 5);
  mailbox.sort();
  EXPECT_EQ(mailbox.name(0), "a:2,");
  EXPECT_EQ(mailbox.name(1), "b");
}

TEST(PopMailbox, MessageMovedDuringTheScanIsThereOnce) {
  Mailbox mailbox;
  mailbox.add(Folder::fresh, "1.a.host", 10, 5);
  mailbox.add(Folder::fresh, "2.b.host", 10, 5);
  mailbox.add(Folder::seen, "1.a.host:2,S", 10, 5);
  mailbox.sort();
  ASSERT_EQ(mailbox.size(), 2U);
  EXPECT_EQ(mailbox.name(0), "1.a.host:2,S");
  EXPECT_EQ(mailbox.folder(0), Folder::seen);
}

TEST(PopMailbox, NameCannotForgeALineOfUidl) {
  Mailbox mailbox;
  mailbox.add(Folder::fresh, "a b\r\n2 c", 1, 1);
  mailbox.add(Folder::fresh, ":2,S", 1, 2);
  mailbox.sort();
  EXPECT_EQ(mailbox.unique_id(0), "a%20b%0d%0a2%20c");
  EXPECT_EQ(mailbox.unique_id(1), ":2,S");
}

TEST(PopMailbox, EmptyMailboxIsAMailbox) {
  const Mailbox mailbox;
  Session session(mailbox);
  EXPECT_EQ(session.feed("STAT").text, "+OK 0 0\r\n");
  EXPECT_EQ(session.feed("RETR 1").text, "-ERR not that many messages\r\n");
}

}  // namespace
}  // namespace postern::pop3

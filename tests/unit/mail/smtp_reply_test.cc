#include "mail/smtp_reply.h"

#include <gtest/gtest.h>

namespace postern::mail {
namespace {

using State = SmtpReplyParser::State;

State feed(SmtpReplyParser& parser, std::string_view bytes) { return parser.feed(bytes); }

TEST(SmtpReplyParser, TakesALine) {
  SmtpReplyParser parser;
  std::string_view bytes = "250 ok\r\n354 next";
  ASSERT_EQ(parser.feed(bytes), State::complete);
  EXPECT_EQ(bytes, "354 next");
  const SmtpReply reply = parser.take_reply();
  EXPECT_EQ(reply.code, 250);
  EXPECT_EQ(reply.kind(), 2);
  EXPECT_EQ(reply.text, "250 ok\n");
}

TEST(SmtpReplyParser, TakesManyLinesCutAnywhere) {
  const std::string_view bytes = "250-mail.example\r\n250-SIZE 1000\n250-\r\n250 HELP\r\n";
  for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
    SmtpReplyParser parser;
    EXPECT_EQ(feed(parser, bytes.substr(0, cut)), State::unfinished);
    ASSERT_EQ(feed(parser, bytes.substr(cut)), State::complete) << cut;
    EXPECT_EQ(parser.take_reply().text, "250-mail.example\n250-SIZE 1000\n250-\n250 HELP\n");
  }
}

TEST(SmtpReplyParser, TakesReplyAfterReply) {
  SmtpReplyParser parser;
  std::string_view bytes = "250 a\r\n550 b\r\n451-c\r\n451 d\r\n";
  for (const int code : {250, 550, 451}) {
    ASSERT_EQ(parser.feed(bytes), State::complete);
    EXPECT_EQ(parser.take_reply().code, code);
  }
  EXPECT_TRUE(bytes.empty());
}

TEST(SmtpReplyParser, TakesACodeAlone) {
  for (const std::string_view bytes : {"220\r\n", "220\n", "220 \r\n", "220ESMTP\r\n"}) {
    SmtpReplyParser parser;
    EXPECT_EQ(feed(parser, bytes), State::complete) << bytes;
    EXPECT_EQ(parser.take_reply().code, 220);
  }
}

TEST(SmtpReplyParser, CountsTheCodeOfTheLastLine) {
  SmtpReplyParser parser;
  ASSERT_EQ(feed(parser, "250-a\r\n550 b\r\n"), State::complete);
  EXPECT_EQ(parser.take_reply().code, 550);
}

TEST(SmtpReplyParser, RefusesWhatIsNotSmtp) {
  for (const std::string_view bytes :
       {"SSH-2.0-OpenSSH\r\n", "\r\n", "\n", "25\r\n", "2x0 ok\r\n", "+OK\r\n", " 250 ok\r\n",
        "150 ok\r\n", "650 ok\r\n", "000 ok\r\n", "-250 ok\r\n", "250-a\r\nb\r\n",
        "\xff\xfd\x01"}) {
    SmtpReplyParser parser;
    EXPECT_EQ(feed(parser, bytes), State::malformed) << bytes;
  }
}

TEST(SmtpReplyParser, KeepsTheOddLineForTheReport) {
  SmtpReplyParser parser;
  EXPECT_EQ(feed(parser, "SSH-2.0-OpenSSH\r\nmore"), State::malformed);
  EXPECT_EQ(parser.text(), "SSH-2.0-OpenSSH \n");
}

TEST(SmtpReplyParser, KeepsTheFirst5000BytesOfALongReply) {
  SmtpReplyParser parser;
  const std::string line = "250-" + std::string(496, 'x');
  std::string bytes;
  for (int i = 0; i < 20; ++i) bytes += line + "\r\n";
  bytes += "250 end\r\n";
  ASSERT_EQ(feed(parser, bytes), State::complete);
  EXPECT_EQ(parser.take_reply().text.size(), 5000U);
}

TEST(SmtpReplyParser, GivesUpOnAReplyWithoutEnd) {
  SmtpReplyParser parser;
  const std::string line = "250-" + std::string(100, 'x') + "\r\n";
  State state = State::unfinished;
  std::size_t sent = 0;
  while (state == State::unfinished && sent < 1000000) {
    state = feed(parser, line);
    sent += line.size();
  }
  EXPECT_EQ(state, State::malformed);
  EXPECT_LT(sent, 70000U);
}

}  // namespace
}  // namespace postern::mail

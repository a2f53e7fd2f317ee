#include "mail/bounce.h"

#include <gtest/gtest.h>

namespace postern::mail {
namespace {

TEST(Bounce, BeginsAsListManagersExpect) {
  EXPECT_EQ(format_bounce_head({.date = 1028301386,
                                .from_user = "MAILER-DAEMON",
                                .from_host = "mail.example.org",
                                .to = "ann@x.example",
                                .is_double = false}),
            "Date: 2 Aug 2002 15:16:26 -0000\n"
            "From: MAILER-DAEMON@mail.example.org\n"
            "To: ann@x.example\n"
            "Subject: failure notice\n"
            "\n"
            "Hi. This is the qmail-send program at mail.example.org.\n"
            "I'm afraid I wasn't able to deliver your message to the following addresses.\n"
            "This is a permanent error; I've given up. Sorry it didn't work out.\n"
            "\n");
}

TEST(Bounce, OfABounceSaysSo) {
  const std::string head = format_bounce_head({.date = 0,
                                               .from_user = "MAILER-DAEMON",
                                               .from_host = "m.example",
                                               .to = "postmaster@m.example",
                                               .is_double = true});
  EXPECT_TRUE(head.ends_with(
      "Hi. This is the qmail-send program at m.example.\n"
      "I tried to deliver a bounce message to this address, but the bounce bounced!\n\n"));
  EXPECT_EQ(format_bounce_break("", true),
            "--- Below this line is the original bounce.\n\nReturn-Path: <>\n");
}

TEST(Bounce, CopyFollowsTheBreakAndAReturnPath) {
  EXPECT_EQ(format_bounce_break("a b@x", false),
            "--- Below this line is a copy of the message.\n\nReturn-Path: <\"a b\"@x>\n");
}

TEST(BounceParagraph, IsSeparatedByExactlyOneBlankLine) {
  EXPECT_EQ(format_bounce_paragraph("b@y", "no such user\n"), "<b@y>:\nno such user\n\n");
  EXPECT_EQ(format_bounce_paragraph("b@y", "no such user"), "<b@y>:\nno such user\n\n");
  EXPECT_EQ(format_bounce_paragraph("b@y", ""), "<b@y>:\n\n");
  EXPECT_EQ(format_bounce_paragraph("b@y", "one\n\n\ntwo\n"), "<b@y>:\none\n//two\n\n");
  EXPECT_EQ(format_bounce_paragraph("b@y", "one\n\n"), "<b@y>:\none\n/\n\n");
  EXPECT_EQ(format_bounce_paragraph("b@y", "\none"), "<b@y>:\n/one\n\n");
}

TEST(BounceParagraph, AddressStaysOnItsLine) {
  EXPECT_EQ(format_bounce_paragraph("b\n\n@y", "x\n"), "<b__@y>:\nx\n\n");
}

}  // namespace
}  // namespace postern::mail

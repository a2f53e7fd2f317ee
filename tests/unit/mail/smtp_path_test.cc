#include "mail/smtp_path.h"

#include <gtest/gtest.h>

#include <limits>

namespace postern::mail {
namespace {

std::string address(std::string_view argument) { return parse_smtp_path(argument).address; }

TEST(SmtpPath, IsWhatStandsInAngleBrackets) {
  EXPECT_EQ(address("FROM:<a@b.example>"), "a@b.example");
  EXPECT_EQ(address("from : <a@b.example> SIZE=1"), "a@b.example");
  EXPECT_EQ(address("<a@b.example>"), "a@b.example");
  EXPECT_EQ(address("TO:<>"), "");
  EXPECT_EQ(address("TO:<a@b.example"), "a@b.example");
  EXPECT_EQ(parse_smtp_path("FROM:<a@b> SIZE=1 X").parameters, " SIZE=1 X");
  EXPECT_EQ(parse_smtp_path("FROM:<a@b").parameters, "");
}

TEST(SmtpPath, WithoutBracketsIsWhatFollowsTheColon) {
  EXPECT_EQ(address("from : asfik@cs.example.edu"), "asfik@cs.example.edu");
  EXPECT_EQ(address("TO:a@b SIZE=1"), "a@b");
  EXPECT_EQ(parse_smtp_path("TO:a@b SIZE=1").parameters, "");
  EXPECT_EQ(address("a@b"), "a@b");
  EXPECT_EQ(address("TO:"), "");
  EXPECT_EQ(address(""), "");
}

TEST(SmtpPath, LosesQuotesBackslashesAndSourceRoutes) {
  EXPECT_EQ(address("TO:<\"a b\"@c>"), "a b@c");
  EXPECT_EQ(address("TO:<\"a\\\"b>c\"@d>"), "a\"b>c@d");
  EXPECT_EQ(address("TO:<a\\>b@c>"), "a>b@c");
  EXPECT_EQ(address("TO:<@r1,@r2:a@b>"), "a@b");
  EXPECT_EQ(address("TO:@r:a@b"), "a@b");
  EXPECT_EQ(address("TO:<@r> x:y"), "@r");
}

TEST(MailParameters, AreFoundInAnyOrderAndCase) {
  const auto found = parse_mail_parameters(" BODY=8BITMIME  size=0123 AUTH=e+3Dmc2+40x\tRET=HDRS");
  EXPECT_EQ(found.size, 123U);
  EXPECT_EQ(found.auth, "e=mc2@x");
  EXPECT_FALSE(found.malformed);
  EXPECT_FALSE(parse_mail_parameters(" BODY=7BIT ").size);
  EXPECT_FALSE(parse_mail_parameters("").auth);
  EXPECT_EQ(parse_mail_parameters("AUTH=<>").auth, "<>");
}

TEST(MailParameters, KnowASizeThatIsNone) {
  EXPECT_TRUE(parse_mail_parameters("SIZE=").malformed);
  EXPECT_TRUE(parse_mail_parameters("SIZE=-1").malformed);
  EXPECT_TRUE(parse_mail_parameters("SIZE=1k").malformed);
  EXPECT_TRUE(parse_mail_parameters("SIZE=1k SIZE=9").malformed);
  const auto huge = parse_mail_parameters("SIZE=99999999999999999999999");
  EXPECT_FALSE(huge.malformed);
  EXPECT_EQ(huge.size, std::numeric_limits<std::uint64_t>::max());
}

}  // namespace
}  // namespace postern::mail

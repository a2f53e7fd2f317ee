#include "base/dates.h"

#include <gtest/gtest.h>

#include <ctime>

namespace postern {
namespace {

TEST(FormatDate, IsQmailsFormOfRfc5322) {
  EXPECT_EQ(format_date(1028301386), "2 Aug 2002 15:16:26 -0000");
  EXPECT_EQ(format_date(0), "1 Jan 1970 00:00:00 -0000");
}

TEST(FormatMboxDate, PadsTheDayWithAZero) {
  EXPECT_EQ(format_mbox_date(1028301386), "Fri Aug 02 15:16:26 2002");
}

TEST(CivilTime, AgreesWithTheSystemsCalendar) {
  for (std::int64_t t = -5'000'000'000; t < 10'000'000'000; t += 86'399'731) {
    const auto time = static_cast<std::time_t>(t);
    std::tm expected{};
    gmtime_r(&time, &expected);
    const CivilTime got = civil_time(t);
    EXPECT_EQ(got.year, expected.tm_year + 1900) << t;
    EXPECT_EQ(got.month, expected.tm_mon + 1) << t;
    EXPECT_EQ(got.day, expected.tm_mday) << t;
    EXPECT_EQ(got.weekday, expected.tm_wday) << t;
    EXPECT_EQ(got.hour, expected.tm_hour) << t;
    EXPECT_EQ(got.minute, expected.tm_min) << t;
    EXPECT_EQ(got.second, expected.tm_sec) << t;
    EXPECT_EQ(seconds_since_1970(got), t);
  }
}

TEST(ParseDate, TakesWhatFormatDateWrites) {
  for (const std::int64_t t : {0LL, 1028301386LL, 951782400LL, 4102444799LL}) {
    EXPECT_EQ(parse_date(format_date(t)), t);
  }
}

// RFC 5322 appendix A, with the obsolete forms of A.6.
TEST(ParseDate, TakesTheExamplesOfItsStandard) {
  EXPECT_EQ(parse_date("Fri, 21 Nov 1997 09:55:06 -0600"), 880127706);
  EXPECT_EQ(parse_date("21 Nov 97 09:55:06 GMT"), 880106106);
  EXPECT_EQ(parse_date("Fri, 21 Nov 1997 09(comment):   55  :  06 -0600"), 880127706);
  EXPECT_EQ(parse_date("Thu,\r\n 13\r\n Feb\r\n 1969\r\n 23:32\r\n -0330 (Newfoundland (Time))"),
            -27723480);
  EXPECT_EQ(parse_date("21 Nov 1997 09:55:06 EST"), 880124106);
}

TEST(ParseDate, NeverGuesses) {
  for (const char* text :
       {"", "now", "Fri, 21 Nov 1997", "32 Nov 1997 00:00:00 +0000", "29 Feb 2001 00:00:00 +0000",
        "21 Foo 1997 00:00:00 +0000", "21 Nov 1997 24:00:00 +0000", "21 Nov 1997 00:60:00 +0000",
        "21 Nov 1997 00:00:00 +0060", "21 Nov 1997 00:00:00", "21 Nov 1997 00:00:00 +0000 x",
        "Fri 21 Nov 99999 00:00:00 +0000", "21 Nov 1997 0-:00:00 +0000",
        "21 Nov 1 00:00:00 +0000"}) {
    EXPECT_FALSE(parse_date(text)) << text;
  }
}

}  // namespace
}  // namespace postern

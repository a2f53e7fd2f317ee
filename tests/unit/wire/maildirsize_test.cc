#include "wire/maildirsize.h"

#include <gtest/gtest.h>

namespace postern::wire {
namespace {

TEST(MaildirSize, ComesBackAsItWasWritten) {
  for (const MaildirQuota& quota :
       {MaildirQuota{}, MaildirQuota{.bytes = 10'000'000, .messages = std::nullopt},
        MaildirQuota{.bytes = std::nullopt, .messages = 7},
        MaildirQuota{.bytes = UINT64_MAX, .messages = 1000}}) {
    for (const MaildirUsage usage : {MaildirUsage{}, MaildirUsage{.bytes = -5, .messages = -1},
                                     MaildirUsage{.bytes = INT64_MIN, .messages = INT64_MAX},
                                     MaildirUsage{.bytes = INT64_MAX, .messages = 12}}) {
      const auto size =
          parse_maildirsize(format_maildir_quota(quota) + "\n" + format_maildirsize_line(usage));
      EXPECT_EQ(size, (MaildirSize{.quota = quota, .usage = usage, .lines = 1}));
    }
  }
}

TEST(MaildirSize, IsTheSumOfItsLines) {
  const auto size = parse_maildirsize("1000S,5C\n100 2       \n\t-30  -1\n 1 1\n");
  EXPECT_EQ(size, (MaildirSize{.quota = {.bytes = 1000, .messages = 5},
                               .usage = {.bytes = 71, .messages = 2},
                               .lines = 3}));
}

TEST(MaildirSize, HasLinesOf14Bytes) {
  EXPECT_EQ(format_maildirsize_line({.bytes = 20, .messages = 1}), "20 1         \n");
  EXPECT_EQ(format_maildirsize_line({.bytes = 1234567890, .messages = 123}), "1234567890 123\n");
}

TEST(MaildirSize, WithoutAQuotaIsNone) {
  for (const char* text : {"", "\n", "NOQUOTA\n", "S\n", "1\n", "1S,,2C\n", "-1S\n", "1 S\n",
                           "99999999999999999999S\n"}) {
    EXPECT_FALSE(parse_maildirsize(text)) << text;
  }
  EXPECT_EQ(parse_maildir_quota("0S,0C"), MaildirQuota{});
}

TEST(MaildirSize, WithALineThatMakesNoSenseIsNotSound) {
  for (const char* text : {"1S\n1\n", "1S\n1 1 1\n", "1S\nx 1\n", "1S\n\n", "1S\n1 1",
                           "1S\n9223372036854775807 1\n1 1\n", "1S\n--1 1\n"}) {
    const auto size = parse_maildirsize(text);
    ASSERT_TRUE(size) << text;
    EXPECT_FALSE(size->sound) << text;
  }
}

TEST(MaildirSize, CountsMessagesThatAreNotTrash) {
  for (const char* name : {"1.a.h", "1.a.h:2,", "1.a.h:2,FRS", "T.a.T:2,Sa", "1.a.h:1,T"}) {
    EXPECT_TRUE(counts_towards_quota(name)) << name;
  }
  for (const char* name : {"1.a.h:2,T", "1.a.h:2,FSTa"}) {
    EXPECT_FALSE(counts_towards_quota(name)) << name;
  }
}

TEST(MaildirSize, IsReadFromNamesWhereOthersPutIt) {
  EXPECT_EQ(size_in_maildir_name("1.a.h,S=12:2,S"), 12U);
  EXPECT_EQ(size_in_maildir_name("1.a.h,S=12,W=15:2,S"), 12U);
  EXPECT_EQ(size_in_maildir_name("1.a.h,W=15,S=12"), 12U);
  for (const char* name : {"1.a.h", "1.a.h:2,S=12", "1.a.h,S=", "1.a.h,S=x", "1.a.h,S=-1",
                           "1.a.h,S=99999999999999999999"}) {
    EXPECT_EQ(size_in_maildir_name(name), std::nullopt) << name;
  }
}

TEST(MaildirSize, FitsUpToTheLimit) {
  const MaildirQuota quota{.bytes = 100, .messages = 3};
  EXPECT_TRUE(
      fits_maildir_quota(quota, {.bytes = 90, .messages = 2}, {.bytes = 10, .messages = 1}));
  EXPECT_FALSE(
      fits_maildir_quota(quota, {.bytes = 91, .messages = 2}, {.bytes = 10, .messages = 1}));
  EXPECT_FALSE(
      fits_maildir_quota(quota, {.bytes = 0, .messages = 3}, {.bytes = 10, .messages = 1}));
  EXPECT_FALSE(
      fits_maildir_quota(quota, {.bytes = INT64_MAX, .messages = 0}, {.bytes = 1, .messages = 1}));
  EXPECT_TRUE(
      fits_maildir_quota({}, {.bytes = INT64_MAX, .messages = 0}, {.bytes = 1, .messages = 1}));
}

}  // namespace
}  // namespace postern::wire

#include "mail/header.h"

#include <gtest/gtest.h>

namespace postern::mail {
namespace {

TEST(FieldName, StandsBeforeTheColon) {
  EXPECT_EQ(field_name("Subject: hi\n"), "Subject");
  EXPECT_EQ(field_name("Subject :hi"), "Subject");
  EXPECT_EQ(field_name("x:"), "x");
  for (const auto* line : {"", "\n", "hello\n", ": x", " x: y", "two words: x", "J\xc3\xb6: x",
                           "From joe@x Mon Jan  1 00:00:00 2001"}) {
    EXPECT_FALSE(field_name(line)) << line;
  }
}

TEST(FieldBody, IsWhatFollows) {
  EXPECT_EQ(field_body("To: a,\n b\n"), " a,\n b\n");
  EXPECT_EQ(field_body("x:"), "");
}

TEST(Continuation, BeginsWithABlank) {
  EXPECT_TRUE(is_continuation(" x"));
  EXPECT_TRUE(is_continuation("\tx"));
  EXPECT_FALSE(is_continuation("x"));
  EXPECT_FALSE(is_continuation(""));
}

}  // namespace
}  // namespace postern::mail

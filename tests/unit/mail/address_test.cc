#include "mail/address.h"

#include <gtest/gtest.h>

namespace postern::mail {
namespace {

TEST(ExpandVerp, PutsTheRecipientIntoTheSender) {
  EXPECT_EQ(expand_verp("l-@h-@[]", "b@d"), "l-b=d@h");
  EXPECT_EQ(bounce_address("l-@h-@[]"), "l-@h");
}

TEST(ExpandVerp, LeavesOtherSendersAlone) {
  EXPECT_EQ(expand_verp("a@x", "b@d"), "a@x");
  EXPECT_EQ(expand_verp("", "b@d"), "");
  EXPECT_EQ(expand_verp("#@[]", "b@d"), "#@[]");
  EXPECT_EQ(expand_verp("l-@h-@[]", "b"), "l-@h-@[]");
  EXPECT_EQ(bounce_address("a@x"), "a@x");
}

TEST(QuoteAddress, QuotesOnlyWhatMustBe) {
  EXPECT_EQ(quote_address("joe.user+x@example.org"), "joe.user+x@example.org");
  EXPECT_EQ(quote_address("joe user@example.org"), "\"joe user\"@example.org");
  EXPECT_EQ(quote_address("a\"b\\c@x"), "\"a\\\"b\\\\c\"@x");
  EXPECT_EQ(quote_address(".a@x"), "\".a\"@x");
  EXPECT_EQ(quote_address("a..b@x"), "\"a..b\"@x");
  EXPECT_EQ(quote_address("a@b@x"), "\"a@b\"@x");
  EXPECT_EQ(quote_address("@x"), "\"\"@x");
  EXPECT_EQ(quote_address(""), "");
  EXPECT_EQ(quote_address("joe"), "joe");
}

TEST(SplitAddress, SplitsAtTheLastAt) {
  EXPECT_EQ(split_address("a@b@c").local, "a@b");
  EXPECT_EQ(split_address("a@b@c").host, "c");
  EXPECT_FALSE(split_address("a").has_host);
}

}  // namespace
}  // namespace postern::mail

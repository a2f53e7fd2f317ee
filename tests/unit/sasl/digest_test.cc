#include "sasl/digest.h"

#include <gtest/gtest.h>

namespace postern::sasl {
namespace {

TEST(CramMd5, GivesTheDigestOfRfc2195) {
  const auto digest =
      cram_md5_digest("tanstaaftanstaaf", "<1896.697170952@postoffice.reston.mci.net>");
  EXPECT_EQ(digest, "b913a602c7eda7a495b4e6e7334d3890");
}

TEST(Apop, GivesTheDigestOfRfc1939) {
  const auto digest = apop_digest("tanstaaf", "<1896.697170952@dbc.mtview.ca.us>");
  EXPECT_EQ(digest, "c4c9334bac560ecc979e58001b3e22fb");
}

TEST(CramMd5, TakesKeysLongerThanABlock) {
  const auto digest = cram_md5_digest(std::string(80, '\xaa'),
                                      "Test Using Larger Than Block-Size Key - Hash Key First");
  EXPECT_EQ(digest, "6b1ab7fe4bd7bf8f0b62e6ce61b9d0cd");  // RFC 2202
}

}  // namespace
}  // namespace postern::sasl

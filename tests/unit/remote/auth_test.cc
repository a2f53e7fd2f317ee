#include "remote/auth.h"

#include <gtest/gtest.h>

#include "base/base64.h"

namespace postern::remote {
namespace {

TEST(CramResponse, IsThatOfRfc2195) {
  const std::string challenge = "<1896.697170952@postoffice.reston.mci.net>";
  EXPECT_EQ(parse_base64(cram_response({"tim", "tanstaaftanstaaf"}, challenge)),
            "tim b913a602c7eda7a495b4e6e7334d3890");
}

TEST(CramResponse, HashesASecretLongerThanABlock) {
  // RFC 2202, test case 6: HMAC-MD5 with an 80-byte key of 0xaa.
  EXPECT_EQ(parse_base64(cram_response({"u", std::string(80, '\xaa')},
                                       "Test Using Larger Than Block-Size Key - Hash Key First")),
            "u 6b1ab7fe4bd7bf8f0b62e6ce61b9d0cd");
}

TEST(PlainResponse, NamesTheUserTwice) {
  using namespace std::string_literals;
  EXPECT_EQ(parse_base64(plain_response({"joe", "secret"})), "joe\0joe\0secret"s);
}

TEST(ParseExtensions, ReadsWhatAServerOffers) {
  const auto extensions = parse_extensions(
      "250-mail.example SIZE 5 PIPELINING\n250-auth login cram-md5\n250-PipeLining\n"
      "250-SIZE 1000\n250 8BITMIME\n");
  EXPECT_TRUE(extensions.pipelining);
  EXPECT_TRUE(extensions.size);
  EXPECT_EQ(extensions.most_bytes, 1000U);
  EXPECT_TRUE(extensions.cram_md5);
  EXPECT_TRUE(extensions.login);
  EXPECT_FALSE(extensions.plain);
}

TEST(ParseExtensions, ReadsTheOldFormOfAuth) {
  const auto extensions = parse_extensions("250-x\n250 AUTH=LOGIN PLAIN\n");
  EXPECT_TRUE(extensions.login);
  EXPECT_TRUE(extensions.plain);
}

TEST(ParseExtensions, TakesNothingFromTheGreeting) {
  const auto extensions = parse_extensions("250 PIPELINING\n");
  EXPECT_FALSE(extensions.pipelining);
  EXPECT_FALSE(parse_extensions("").pipelining);
  EXPECT_FALSE(parse_extensions("250-x\n250\n250-\n250 AUTHX PLAIN\n").plain);
}

TEST(ParseExtensions, KnowsNoLimitFromASizeWithoutOne) {
  EXPECT_TRUE(parse_extensions("250-x\n250 SIZE\n").size);
  EXPECT_FALSE(parse_extensions("250-x\n250 SIZE\n").most_bytes);
  EXPECT_FALSE(parse_extensions("250-x\n250 SIZE 0\n").most_bytes);
}

}  // namespace
}  // namespace postern::remote

#include "auth/challenge.h"

#include <gtest/gtest.h>

#include "sasl/digest.h"

namespace postern::auth {
namespace {

TEST(Challenge, IsAnsweredByEitherDigestAndNoOther) {
  const std::string challenge = "<1@host>";
  const auto hmac = sasl::cram_md5_digest("secret", challenge);
  const auto apop = sasl::apop_digest("secret", challenge);
  EXPECT_TRUE(answers_challenge("secret", {challenge, hmac}));
  EXPECT_TRUE(answers_challenge("secret", {challenge, apop}));
  EXPECT_FALSE(answers_challenge("Secret", {challenge, hmac}));
  EXPECT_FALSE(answers_challenge("secret", {"<2@host>", hmac}));
}

}  // namespace
}  // namespace postern::auth

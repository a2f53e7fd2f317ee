#include "auth/system_account.h"

#include "auth/system_users.h"

#include <gtest/gtest.h>

namespace postern::auth {
namespace {

constexpr std::int64_t today = 20000;

TEST(Standing, IsGoodForAnOrdinaryAccount) {
  EXPECT_EQ(standing_of({"$6$a$b", 19000, 99999, -1}, today), Standing::good);
  EXPECT_EQ(standing_of({"$6$a$b", -1, -1, -1}, today), Standing::good);
}

TEST(Standing, IsLockedWithoutAUsableHash) {
  for (const auto* hash : {"", "!", "!!", "*", "!$6$a$b", "*LK*", "x"}) {
    EXPECT_EQ(standing_of({hash, 19000, 99999, -1}, today), Standing::locked) << hash;
  }
}

TEST(Standing, EndsOnTheDayTheAccountExpires) {
  EXPECT_EQ(standing_of({"$6$a$b", 19000, 99999, today + 1}, today), Standing::good);
  EXPECT_EQ(standing_of({"$6$a$b", 19000, 99999, today}, today), Standing::account_expired);
  EXPECT_EQ(standing_of({"$6$a$b", 19000, 99999, 0}, today), Standing::account_expired);
}

TEST(Standing, EndsWhenThePasswordIsTooOld) {
  EXPECT_EQ(standing_of({"$6$a$b", today - 90, 90, -1}, today), Standing::good);
  EXPECT_EQ(standing_of({"$6$a$b", today - 91, 90, -1}, today), Standing::password_expired);
  EXPECT_EQ(standing_of({"$6$a$b", 0, 99999, -1}, today), Standing::password_expired);
}

TEST(ShadowDecoy, IsAHashThatSomebodyHas) {
  EXPECT_EQ(decoy_of_shadow("root:*:1::::::\na:$1$x$1:1::\nb:!:1::\nc:$y$x$2:1::\nd:$y$x$3:1::"),
            "$y$x$2");
  EXPECT_EQ(decoy_of_shadow("root:*:1::::::\nbad line\n"), "");
}

TEST(SystemUsers, AreFoundOrNot) {
  const auto root = find_system_user("root");
  ASSERT_TRUE(root && *root);
  EXPECT_EQ((*root)->identity.uid, 0U);
  const auto nobody = find_system_user("no-such-user");
  ASSERT_TRUE(nobody);
  EXPECT_FALSE(*nobody);
}

}  // namespace
}  // namespace postern::auth

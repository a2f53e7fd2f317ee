#include "spawn/dead_hosts.h"

#include <gtest/gtest.h>

namespace postern::spawning {
namespace {

using namespace std::chrono_literals;

class Dead : public ::testing::Test {
 protected:
  void fail(const std::string& host, unsigned times) {
    for (unsigned i = 0; i < times; ++i) hosts_.failed(host, "down");
  }
  DeadHosts::Time now_{};
  DeadHosts hosts_{[this] { return now_; }};
};

TEST_F(Dead, AreTriedForEachMessageUntilManyHaveFailedInARow) {
  EXPECT_EQ(hosts_.answer("x"), std::nullopt);
  fail("x", DeadHosts::tries - 1);
  EXPECT_EQ(hosts_.answer("x"), std::nullopt);
  hosts_.reached("x");
  fail("x", DeadHosts::tries - 1);
  EXPECT_EQ(hosts_.answer("x"), std::nullopt);
  hosts_.failed("x", "still down");
  EXPECT_EQ(hosts_.answer("x"), "still down");
  EXPECT_EQ(hosts_.answer("X"), std::nullopt);
  hosts_.reached("x");
  EXPECT_EQ(hosts_.answer("x"), std::nullopt);
}

TEST_F(Dead, AreTriedByOneMessageInFiftyMilliseconds) {
  fail("x", DeadHosts::tries);
  now_ += 49ms;
  EXPECT_EQ(hosts_.answer("x"), "down");
  now_ += 1ms;
  EXPECT_EQ(hosts_.answer("x"), std::nullopt);
  EXPECT_EQ(hosts_.answer("x"), "down") << "while that one is under way";
  now_ += 10ms;
  hosts_.failed("x", "gone");
  now_ += 49ms;
  EXPECT_EQ(hosts_.answer("x"), "gone");
}

TEST_F(Dead, AreTriedForEachMessageWhenNoTryHasFailedForATenthOfASecond) {
  fail("x", DeadHosts::tries);
  now_ += 100ms;
  for (int i = 0; i < 3; ++i) EXPECT_EQ(hosts_.answer("x"), std::nullopt);
  hosts_.failed("x", "gone");
  EXPECT_EQ(hosts_.answer("x"), "gone");
}

TEST_F(Dead, AreCountedAnewWhenASecondWentByWithoutATry) {
  fail("x", DeadHosts::tries);
  now_ += 1001ms;
  hosts_.failed("x", "down");
  EXPECT_EQ(hosts_.answer("x"), std::nullopt);
  now_ += 1s;
  fail("x", DeadHosts::tries - 1);
  EXPECT_EQ(hosts_.answer("x"), "down");
}

TEST_F(Dead, AreNeverMoreThanTheLimit) {
  fail("x", DeadHosts::tries);
  for (std::size_t i = 1; i < DeadHosts::most; ++i) fail(std::to_string(i), 1);
  EXPECT_EQ(hosts_.answer("x"), "down");
  fail("x", 1);
  EXPECT_EQ(hosts_.answer("x"), "down") << "it is known already";
  fail("one more", 1);
  EXPECT_EQ(hosts_.answer("x"), std::nullopt);
}

TEST_F(Dead, DoNotKeepLongWords) {
  fail("x", DeadHosts::tries);
  hosts_.failed("x", std::string(DeadHosts::most_said_bytes + 1, 'd'));
  EXPECT_EQ(hosts_.answer("x"), std::nullopt);
}

}  // namespace
}  // namespace postern::spawning

#include "send/retry.h"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

namespace postern::send {
namespace {

constexpr std::int64_t lifetime = 604800;
constexpr std::int64_t birth = 1'000'000'000;

// The ages at which a message is tried when every try fails at once.
std::vector<std::int64_t> ages(Channel channel) {
  std::vector<std::int64_t> tries;
  for (std::int64_t now = birth;; now = next_try(birth, now, channel)) {
    tries.push_back(now - birth);
    if (is_last_try(birth, now, lifetime)) return tries;
  }
}

TEST(Retry, LocalTriesComeAtSquaresOfTen) {
  const auto tries = ages(Channel::local);
  ASSERT_EQ(tries.size(), 79U);
  EXPECT_EQ(std::vector(tries.begin(), tries.begin() + 7),
            (std::vector<std::int64_t>{0, 100, 400, 900, 1600, 2500, 3600}));
  EXPECT_EQ(tries[77], 592900);
  EXPECT_EQ(tries[78], 608400);
}

TEST(Retry, RemoteTriesComeAtSquaresOfTwenty) {
  const auto tries = ages(Channel::remote);
  ASSERT_EQ(tries.size(), 40U);
  EXPECT_EQ(std::vector(tries.begin(), tries.begin() + 5),
            (std::vector<std::int64_t>{0, 400, 1600, 3600, 6400}));
  EXPECT_EQ(tries[38], 577600);
  EXPECT_EQ(tries[39], 608400);
}

TEST(Retry, BirthInTheFutureCountsAsAnAgeOfZero) {
  EXPECT_EQ(next_try(birth + 50, birth, Channel::local), birth + 50 + 100);
  EXPECT_FALSE(is_last_try(birth + 50, birth, 0));
}

TEST(Retry, LastTryIsTheFirstAfterTheLifetime) {
  EXPECT_FALSE(is_last_try(birth, birth + lifetime, lifetime));
  EXPECT_TRUE(is_last_try(birth, birth + lifetime + 1, lifetime));
}

TEST(Retry, NextTryIsAlwaysLaterWhateverAFileClaims) {
  constexpr auto least = std::numeric_limits<std::int64_t>::min();
  constexpr auto most = std::numeric_limits<std::int64_t>::max();
  for (const std::int64_t odd : {least, least + 1, std::int64_t{-1}, std::int64_t{0}}) {
    EXPECT_GT(next_try(odd, birth, Channel::remote), birth);
    EXPECT_TRUE(is_last_try(odd, birth, lifetime));
  }
  EXPECT_GT(next_try(most, birth, Channel::remote), birth);
  EXPECT_FALSE(is_last_try(most, birth, lifetime));
}

}  // namespace
}  // namespace postern::send

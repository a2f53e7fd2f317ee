#include "spawn/kept_workers.h"

#include <gtest/gtest.h>
#include <poll.h>

#include "posix/io.h"
#include "posix/packets.h"

namespace postern::spawning {
namespace {

using namespace std::chrono_literals;

class Kept : public ::testing::Test {
 protected:
  // Their number among those that were put.
  std::size_t put(const std::string& kind) {
    auto sockets = make_packet_pair().value();
    theirs_.push_back(std::move(sockets.theirs));
    kept_.put({.child = Child(), .output = {}, .stays = std::move(sockets.ours), .kind = kind});
    return theirs_.size() - 1;
  }
  // The worker's end of its socket shows nothing but that the other end has gone.
  bool let_go(std::size_t worker) {
    return wait_for(theirs_[worker].get(), POLLIN, Deadline::after({})).has_value();
  }

  KeptWorkers::Time now_;
  KeptWorkers kept_{[this] { return now_; }, {.deliveries = 200}};
  std::vector<Fd> theirs_;
};

TEST_F(Kept, GoWhenTheyHaveWaitedForFiveSeconds) {
  EXPECT_EQ(kept_.tidy(), -1);
  const auto first = put("joe");
  now_ += 2s;
  const auto second = put("joe");
  EXPECT_EQ(kept_.tidy(), 3000);
  now_ += 3s;
  EXPECT_EQ(kept_.tidy(), 2000);
  EXPECT_TRUE(let_go(first));
  EXPECT_FALSE(let_go(second));
}

TEST_F(Kept, AreSixteenAtMost) {
  for (int i = 0; i < 17; ++i) put("joe");
  EXPECT_TRUE(let_go(0));
  for (std::size_t i = 1; i < 17; ++i) EXPECT_FALSE(let_go(i)) << i;
}

TEST_F(Kept, GoAfterTwoHundredDeliveries) {
  const auto worker = put("joe");
  for (int deliveries = 1; deliveries < 200; ++deliveries) {
    ASSERT_FALSE(let_go(worker)) << deliveries;
    auto given = kept_.give("joe", "order");
    ASSERT_TRUE(given);
    ASSERT_TRUE(receive_packet(theirs_[worker].get(), 100).value());
    kept_.put(std::move(*given));
  }
  EXPECT_TRUE(let_go(worker));
  EXPECT_FALSE(kept_.give("joe", "order"));
}

TEST_F(Kept, AreGivenWorkOfTheirKindAlone) {
  put("joe");
  EXPECT_FALSE(kept_.give("jim", "order"));
  EXPECT_TRUE(kept_.give("joe", "order"));
  EXPECT_FALSE(kept_.give("joe", "order")) << "it has work already";
}

// What such a worker knows is no older.
TEST_F(Kept, MayGoFiveSecondsAfterTheyHaveFirstStayed) {
  kept_ = KeptWorkers([this] { return now_; }, {.deliveries = 200, .in_all = true});
  const auto first = put("joe");
  now_ += 3s;
  kept_.put(std::move(*kept_.give("joe", "order")));
  ASSERT_TRUE(receive_packet(theirs_[first].get(), 100).value());
  EXPECT_EQ(kept_.tidy(), 2000);
  put("joe");
  now_ += 2s;
  EXPECT_EQ(kept_.tidy(), 3000);
  EXPECT_TRUE(let_go(first));
}

TEST_F(Kept, AreNotKeptWhenTheirTimeHasPassedAtWork) {
  kept_ = KeptWorkers([this] { return now_; }, {.deliveries = 200, .in_all = true});
  const auto worker = put("joe");
  auto given = kept_.give("joe", "order");
  ASSERT_TRUE(receive_packet(theirs_[worker].get(), 100).value());
  now_ += 5s;
  kept_.put(std::move(*given));
  EXPECT_TRUE(let_go(worker));
  EXPECT_FALSE(kept_.give("joe", "order"));
}

}  // namespace
}  // namespace postern::spawning

#include "spawn/batch.h"

#include <gtest/gtest.h>

namespace postern::spawning {
namespace {

// How many orders each delivery has.
std::vector<std::size_t> sizes(Batch& batch) {
  std::vector<std::size_t> sizes;
  for (const Delivery& delivery : batch.deliveries()) sizes.push_back(delivery.orders.size());
  return sizes;
}

wire::DeliveryOrder order(unsigned number, const std::string& recipient = "a@x") {
  return {number, "8/100", "s@h", recipient};
}

TEST(Batch, PutsWhatHasMuchInCommonTogether) {
  Batch batch;
  batch.add(order(1), "x");
  batch.add(order(2), "y");
  batch.add(order(3), "x");
  EXPECT_EQ(sizes(batch), (std::vector<std::size_t>{2, 1}));
  EXPECT_EQ(batch.deliveries().front().orders.back().number, 3U);
}

TEST(Batch, LeavesOrdersAloneThatHaveNothingInCommon) {
  Batch batch;
  batch.add(order(1), "");
  batch.add(order(2), "");
  EXPECT_EQ(sizes(batch), (std::vector<std::size_t>{1, 1}));
}

TEST(Batch, GivesAServerAHundredRecipientsAtMost) {
  Batch batch;
  for (unsigned number = 0; number < 201; ++number) batch.add(order(number), "x");
  EXPECT_EQ(sizes(batch), (std::vector<std::size_t>{100, 100, 1}));
}

TEST(Batch, BoundsTheArgumentsOfAProgram) {
  Batch batch;
  const std::string long_one(most_recipient_bytes_together / 2, 'x');
  for (unsigned number = 0; number < 3; ++number) batch.add(order(number, long_one), "x");
  EXPECT_EQ(sizes(batch), (std::vector<std::size_t>{2, 1}));
}

}  // namespace
}  // namespace postern::spawning

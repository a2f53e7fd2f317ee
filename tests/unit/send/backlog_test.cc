#include "send/backlog.h"

#include <gtest/gtest.h>

#include <vector>

namespace postern::send {
namespace {

TEST(DueQueue, GivesWhatIsDueInTheOrderOfTime) {
  DueQueue queue;
  for (const wire::MessageId id : {5U, 1U, 4U, 2U, 3U})
    queue.add(id, static_cast<std::int64_t>(id) * 10);
  EXPECT_EQ(queue.next(), 10);
  EXPECT_EQ(queue.take_due(9), std::nullopt);
  EXPECT_EQ(queue.take_due(25), 1U);
  EXPECT_EQ(queue.take_due(25), 2U);
  EXPECT_EQ(queue.take_due(25), std::nullopt);
  EXPECT_EQ(queue.next(), 30);
}

TEST(DueQueue, KeepsItsOrderWhenAllIsMadeDue) {
  DueQueue queue;
  for (wire::MessageId id = 1; id <= 100; ++id) queue.add(id, static_cast<int>(id * 37 % 101));
  queue.make_all_due(50);
  int earlier = 0;
  for (wire::MessageId id = 1; id <= 100; ++id) {
    const auto when = *queue.next();
    EXPECT_LE(earlier, when);
    earlier = static_cast<int>(when);
    EXPECT_TRUE(queue.take_due(50));
  }
  EXPECT_TRUE(queue.empty());
}

TEST(Backlog, FreshMailGoesBeforeRetriesButOneInFourIsARetry) {
  Backlog backlog;
  for (wire::MessageId id = 1; id <= 6; ++id) backlog.add_fresh(id);
  for (wire::MessageId id = 101; id <= 103; ++id) backlog.add_retry(id, 0);
  std::vector<wire::MessageId> order;
  while (const auto choice = backlog.take(10, {})) order.push_back(choice->id);
  std::vector<wire::MessageId> fresh(order.begin(), order.begin() + 3);
  EXPECT_EQ(fresh, (std::vector<wire::MessageId>{1, 2, 3}));
  EXPECT_GT(order[3], 100U);
  EXPECT_EQ(order[4], 4U);
  EXPECT_GT(order[7], 100U);
  EXPECT_EQ(order.size(), 9U);
}

TEST(Backlog, GivesOnlyTheKindThatIsAllowed) {
  Backlog backlog;
  backlog.add_fresh(1);
  backlog.add_retry(2, 5);
  EXPECT_FALSE(backlog.take(10, {.fresh = false, .retries = false}));
  EXPECT_EQ(backlog.next({.fresh = false, .retries = false}), std::nullopt);
  EXPECT_EQ(backlog.next({.fresh = false, .retries = true}), 5);
  EXPECT_EQ(backlog.next({.fresh = true, .retries = false}), 0);
  EXPECT_EQ(backlog.take(10, {.fresh = false, .retries = true})->id, 2U);
  EXPECT_EQ(backlog.take(10, {.fresh = true, .retries = false})->id, 1U);
}

TEST(Backlog, RetriesLeaveAQuarterOfTheDeliveriesToFreshMail) {
  EXPECT_EQ(most_retries(20), 15U);
  EXPECT_EQ(most_retries(4), 3U);
  EXPECT_EQ(most_retries(3), 3U);
  EXPECT_EQ(most_retries(1), 1U);
  EXPECT_EQ(most_retries(0), 0U);
}

}  // namespace
}  // namespace postern::send

#include "send/cleaner.h"

#include <gtest/gtest.h>

namespace postern::send {
namespace {

using namespace std::string_literals;
using wire::CleanOrder;

constexpr CleanOrder todo{CleanOrder::Kind::todo, 100};
constexpr CleanOrder message{CleanOrder::Kind::message, 7};

TEST(Cleaner, SendsTheNextOrderOnlyWhenTheLastIsAnswered) {
  Cleaner cleaner;
  EXPECT_EQ(cleaner.to_write(), "");
  cleaner.add(todo);
  cleaner.add(message);
  EXPECT_EQ(cleaner.to_write(), "todo/100\0"s);
  cleaner.wrote(4);
  EXPECT_EQ(cleaner.to_write(), "/100\0"s);
  cleaner.wrote(5);
  EXPECT_EQ(cleaner.to_write(), "");
  const auto first = cleaner.feed("+");
  ASSERT_EQ(first.size(), 1U);
  EXPECT_EQ(first[0].order, todo);
  EXPECT_TRUE(first[0].done);
  EXPECT_FALSE(cleaner.idle());
  EXPECT_EQ(cleaner.to_write(), "foop/7\0"s);
  cleaner.wrote(7);
  const auto second = cleaner.feed("!");
  ASSERT_EQ(second.size(), 1U);
  EXPECT_EQ(second[0].order, message);
  EXPECT_FALSE(second[0].done);
  EXPECT_TRUE(cleaner.idle());
}

TEST(Cleaner, IgnoresAnswersNobodyAskedFor) {
  Cleaner cleaner;
  EXPECT_TRUE(cleaner.feed("+++").empty());
  cleaner.add(todo);
  cleaner.wrote(cleaner.to_write().size() - 1);
  EXPECT_TRUE(cleaner.feed("+").empty());
  cleaner.wrote(1);
  EXPECT_EQ(cleaner.feed("++").size(), 1U);
}

}  // namespace
}  // namespace postern::send

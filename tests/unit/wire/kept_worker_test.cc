#include "wire/kept_worker.h"

#include <gtest/gtest.h>

namespace postern::wire {
namespace {

using namespace std::string_literals;

TEST(KeptOrder, EndsEachWordWithNul) {
  const std::string words[] = {"--", "joe", "", "s@h"};
  const std::string bytes = format_kept_order(words);
  EXPECT_EQ(bytes, "--\0joe\0\0s@h\0"s);
  EXPECT_EQ(parse_kept_order(bytes), std::vector<std::string>(std::begin(words), std::end(words)));
}

TEST(KeptOrder, IsNoneWithoutItsEnd) {
  EXPECT_FALSE(parse_kept_order(""));
  EXPECT_FALSE(parse_kept_order("--\0joe"s));
}

TEST(KeptWorker, HasNoOrdersWithoutASocket) {
  auto worker = KeptWorker::none();
  EXPECT_FALSE(worker.is_kept());
  for (const auto& order : {worker.first(), worker.next(0)}) {
    ASSERT_TRUE(order.has_value());
    EXPECT_FALSE(order->has_value());
  }
}

}  // namespace
}  // namespace postern::wire

#include "smtpd/recipient_list.h"

#include <gtest/gtest.h>

#include <vector>

namespace postern::smtpd {
namespace {

TEST(RecipientList, GivesBackWhatWasAddedInItsOrder) {
  RecipientList list;
  EXPECT_TRUE(list.empty());
  std::vector<std::string> added;
  for (std::size_t i = 0; i < 10'000; ++i) {
    added.push_back(std::string(i % 900 + 1, 'a') + "@" + std::to_string(i));
    ASSERT_TRUE(list.add(added.back()));
  }
  EXPECT_FALSE(list.empty());
  std::vector<std::string> found;
  list.for_each([&](std::string_view address) { found.emplace_back(address); });
  EXPECT_EQ(found, added);
}

TEST(RecipientList, IsBoundedInNumberAndInBytes) {
  RecipientList many;
  for (std::size_t i = 0; i < RecipientList::most; ++i) ASSERT_TRUE(many.add("a"));
  EXPECT_FALSE(many.add("a"));
  RecipientList large;
  const std::string address(900, 'a');
  std::size_t bytes = 0;
  while (large.add(address)) bytes += address.size();
  EXPECT_LE(bytes, RecipientList::most_bytes);
  EXPECT_GT(bytes, RecipientList::most_bytes - 900);
}

}  // namespace
}  // namespace postern::smtpd

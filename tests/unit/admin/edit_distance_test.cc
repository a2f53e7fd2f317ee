#include "admin/edit_distance.h"

#include <gtest/gtest.h>

namespace postern::admin {
namespace {

TEST(EditDistance, CountsLettersAddedDroppedChangedAndSwapped) {
  EXPECT_EQ(edit_distance("rcpthosts", "rcpthosts"), 0U);
  EXPECT_EQ(edit_distance("rcpthost", "rcpthosts"), 1U);
  EXPECT_EQ(edit_distance("rcptthosts", "rcpthosts"), 1U);
  EXPECT_EQ(edit_distance("rcpthoste", "rcpthosts"), 1U);
  EXPECT_EQ(edit_distance("rpcthosts", "rcpthosts"), 1U);
  EXPECT_EQ(edit_distance("", "me"), 2U);
  EXPECT_EQ(edit_distance("me", ""), 2U);
  EXPECT_GT(edit_distance("locals", "badrcptto"), 5U);
}

}  // namespace
}  // namespace postern::admin

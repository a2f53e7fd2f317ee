#include "smtpd/policy.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "control/cdb.h"
#include "support/temporary_directory.h"

namespace postern::smtpd {
namespace {

TEST(AddressList, HoldsAddressesHostsAndUsersWithoutCase) {
  const AddressList list({"Joe@spam.example", "@worse.example", "trap@"});
  EXPECT_TRUE(list.lists("joe@SPAM.example"));
  EXPECT_TRUE(list.lists("anyone@Worse.Example"));
  EXPECT_TRUE(list.lists("TRAP@anywhere"));
  EXPECT_FALSE(list.lists("jack@spam.example"));
  EXPECT_FALSE(list.lists("joe@sub.worse.example"));
  EXPECT_FALSE(list.lists("trap"));
  EXPECT_FALSE(list.lists(""));
  EXPECT_FALSE(AddressList().lists("joe@spam.example"));
}

}  // namespace
}  // namespace postern::smtpd

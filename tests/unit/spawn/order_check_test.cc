#include "spawn/order_check.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "support/temporary_directory.h"

namespace postern::spawning {
namespace {

std::string refusal(std::string_view message, std::string_view recipient = "joe@example.org") {
  const auto checked = check_order(message, recipient);
  return checked ? "" : checked.error();
}

TEST(Order, NamesAMessageByDigitsAndSlashes) {
  constexpr auto not_a_number = "DInternal error: messid has nonnumerics. (#5.3.5)\n";
  EXPECT_EQ(refusal("8/100"), "");
  EXPECT_EQ(refusal("100"), "");
  EXPECT_EQ(refusal("8/../../control/me"), not_a_number);
  EXPECT_EQ(refusal("/8/100"), not_a_number);
  EXPECT_EQ(refusal("8/100x"), not_a_number);
}

TEST(Order, NamesAMessageInUpToAHundredBytes) {
  EXPECT_EQ(refusal(std::string(100, '1')), "");
  EXPECT_EQ(refusal(std::string(101, '1')), "DInternal error: messid too long. (#5.3.5)\n");
  EXPECT_EQ(refusal(""), "DInternal error: messid too short. (#5.3.5)\n");
}

TEST(Order, NeedsARecipientWithAHost) {
  EXPECT_EQ(refusal("8/100", "joe"), "DSorry, address must include host name. (#5.1.3)\n");
  EXPECT_EQ(refusal("8/100", "@"), "");
}

TEST(Message, IsARegularFileOfTheQueuesOwner) {
  const test::TemporaryDirectory here;
  std::ofstream("100") << "text";
  EXPECT_TRUE(open_message("100", ::getuid()));
  EXPECT_EQ(open_message("100", ::getuid() + 1).error(),
            "ZSorry, message has wrong owner. (#4.3.5)\n");
  EXPECT_EQ(open_message("101", ::getuid()).error(),
            "Zqmail-spawn unable to open message. (#4.3.0)\n");
}

TEST(Message, IsNeverADirectoryOrAFifo) {
  const test::TemporaryDirectory here;
  ASSERT_EQ(::mkdir("1", 0700), 0);
  ASSERT_EQ(::mkfifo("2", 0600), 0);
  for (const char* name : {"1", "2"}) {
    EXPECT_EQ(open_message(name, ::getuid()).error(), "ZSorry, message has wrong type. (#4.3.5)\n");
  }
}

}  // namespace
}  // namespace postern::spawning

#include "start/wide_numbers.h"

#include <gtest/gtest.h>

#include <array>
#include <filesystem>
#include <fstream>

#include "support/temporary_directory.h"

namespace postern::start {
namespace {

class WideNumbers : public ::testing::Test {
 protected:
  static void put(const std::string& path, const std::string& text) {
    std::filesystem::create_directories(std::filesystem::path(path).parent_path());
    std::ofstream(path) << text;
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
  }
  test::TemporaryDirectory directory_;
};

TEST_F(WideNumbers, AreWantedOnlyBeyondWhatOneByteCounts) {
  EXPECT_FALSE(wants_wide_numbers());
  put("control/concurrencylocal", "255\n");
  put("control/concurrencyremote", "255\n");
  EXPECT_FALSE(wants_wide_numbers());
  put("control/concurrencyremote", "256\n");
  EXPECT_TRUE(wants_wide_numbers());
  put("control/concurrencyremote", "many\n");
  EXPECT_FALSE(wants_wide_numbers()) << "qmail-send will complain of it";
  put("control/concurrencylocal", "1000\n");
  EXPECT_TRUE(wants_wide_numbers());
}

TEST_F(WideNumbers, NeedEveryProgramThePathFindsToKnowThem) {
  constexpr std::array<std::string_view, 2> programs = {"send", "spawn"};
  const std::string knows =
      "\x7f"
      "ELF ... POSTERN_DELIVERY_NUMBER_BYTES ...";
  put("ours/send", knows);
  put("ours/spawn", knows);
  put("theirs/spawn",
      "\x7f"
      "ELF ... nothing of the kind");
  EXPECT_TRUE(all_know_wide_numbers(programs, "ours"));
  EXPECT_TRUE(all_know_wide_numbers(programs, "nowhere:ours:theirs"));
  EXPECT_FALSE(all_know_wide_numbers(programs, "theirs:ours"));
  EXPECT_FALSE(all_know_wide_numbers(programs, "nowhere"));
  EXPECT_FALSE(all_know_wide_numbers(programs, ""));
}

}  // namespace
}  // namespace postern::start

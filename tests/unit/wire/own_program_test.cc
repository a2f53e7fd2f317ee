#include "wire/own_program.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "posix/environment.h"
#include "support/temporary_directory.h"

namespace postern::wire {
namespace {

constexpr const char* mark = "this program does more";

class OwnProgramTest : public ::testing::Test {
 protected:
  void SetUp() override { set_environment_variable("PATH", here_.path()); }
  void TearDown() override { set_environment_variable("PATH", path_); }

  void make(const std::string& bytes) {
    std::filesystem::remove("program");  // another file, as after an installation
    std::ofstream("program") << bytes;
    std::filesystem::permissions("program", std::filesystem::perms{0755});
  }
  const std::string ours_ = std::string("\177ELF...") + mark;
  test::TemporaryDirectory here_;
  std::string path_ = environment_variable("PATH").value_or("");
  OwnProgram own_{mark};
};

TEST_F(OwnProgramTest, IsTheProgramThatSaysSo) {
  make(ours_);
  EXPECT_EQ(own_.find("program"), here_.path() + "/program");
}

// The file is read in pieces.
TEST_F(OwnProgramTest, MaySaySoAnywhere) {
  for (std::size_t before = 32768 - 30; before < 32768 + 10; ++before) {
    make("\177ELF" + std::string(before, '.') + mark + "...");
    EXPECT_NE(own_.find("program"), "") << before;
  }
}

TEST_F(OwnProgramTest, IsNoScriptAndNoOtherProgram) {
  for (const std::string& bytes :
       {std::string("#!/bin/sh\n# ") + mark, std::string("\177ELF...")}) {
    make(bytes);
    EXPECT_EQ(own_.find("program"), "") << bytes;
  }
  EXPECT_EQ(own_.find("no-such-program"), "");
}

TEST_F(OwnProgramTest, IsLookedAtAgainWhenItChanges) {
  make(ours_);
  EXPECT_NE(own_.find("program"), "");
  make("#!/bin/sh\n");
  EXPECT_EQ(own_.find("program"), "");
  make(ours_);
  EXPECT_NE(own_.find("program"), "");
}

TEST_F(OwnProgramTest, IsNotNamedByADirectoryThatMayBeAnother) {
  make(ours_);
  set_environment_variable("PATH", ".");
  EXPECT_EQ(own_.find("program"), "");
}

TEST_F(OwnProgramTest, IsLookedForInAFileAndNothingElse) {
  make(ours_);
  EXPECT_TRUE(own_.is("program"));
  EXPECT_FALSE(own_.is("no-such-program"));
  ASSERT_EQ(::mkfifo("fifo", 0700), 0);
  EXPECT_FALSE(own_.is("fifo")) << "and nobody has waited for its writer";
}

}  // namespace
}  // namespace postern::wire

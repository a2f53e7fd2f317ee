#include "spawn/own_remote.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "posix/environment.h"
#include "support/temporary_directory.h"
#include "wire/remote_report.h"

namespace postern::spawning {
namespace {

class OwnRemoteTest : public ::testing::Test {
 protected:
  void SetUp() override { set_environment_variable("PATH", here_.path()); }
  void TearDown() override { set_environment_variable("PATH", path_); }

  void make(const std::string& bytes) {
    std::filesystem::remove("program");  // another file, as after an installation
    std::ofstream("program") << bytes;
    std::filesystem::permissions("program", std::filesystem::perms{0755});
  }
  const std::string ours_ = std::string("\177ELF...") + wire::takes_several_mark;
  test::TemporaryDirectory here_;
  std::string path_ = environment_variable("PATH").value_or("");
  OwnRemote own_;
};

TEST_F(OwnRemoteTest, IsTheProgramThatSaysSo) {
  make(ours_);
  EXPECT_EQ(own_.find("program"), here_.path() + "/program");
}

// The file is read in pieces.
TEST_F(OwnRemoteTest, MaySaySoAnywhere) {
  for (std::size_t before = 32768 - 60; before < 32768 + 10; ++before) {
    make("\177ELF" + std::string(before, '.') + wire::takes_several_mark + "...");
    EXPECT_NE(own_.find("program"), "") << before;
  }
}

TEST_F(OwnRemoteTest, IsNoScriptAndNoOtherProgram) {
  for (const std::string& bytes :
       {std::string("#!/bin/sh\n# ") + wire::takes_several_mark, std::string("\177ELF...")}) {
    make(bytes);
    EXPECT_EQ(own_.find("program"), "") << bytes;
  }
  EXPECT_EQ(own_.find("no-such-program"), "");
}

TEST_F(OwnRemoteTest, IsLookedAtAgainWhenItChanges) {
  make(ours_);
  EXPECT_NE(own_.find("program"), "");
  make("#!/bin/sh\n");
  EXPECT_EQ(own_.find("program"), "");
  make(ours_);
  EXPECT_NE(own_.find("program"), "");
}

TEST_F(OwnRemoteTest, IsNotNamedByADirectoryThatMayBeAnother) {
  make(ours_);
  set_environment_variable("PATH", ".");
  EXPECT_EQ(own_.find("program"), "");
}

}  // namespace
}  // namespace postern::spawning

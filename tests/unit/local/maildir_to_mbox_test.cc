#include "local/maildir_to_mbox.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "posix/files.h"
#include "support/temporary_directory.h"

namespace postern::local {
namespace {

class MaildirToMbox : public ::testing::Test {
 protected:
  MaildirToMbox() {
    for (const char* part : {"tmp", "new", "cur"}) {
      std::filesystem::create_directories(std::string("Maildir/") + part);
    }
  }
  static void put(const std::string& path, const std::string& text, std::time_t seconds) {
    std::ofstream("Maildir/" + path) << text;
    const timespec times[2] = {{seconds, 0}, {seconds, 0}};
    ASSERT_EQ(::utimensat(AT_FDCWD, ("Maildir/" + path).c_str(), times, 0), 0);
  }
  static std::string mbox() { return read_file("mbox", 10000).value_or("?"); }
  test::TemporaryDirectory directory_;
};

TEST_F(MaildirToMbox, MovesMessagesOldestFirstWithTheirSenders) {
  put("new/1", "Return-Path: <joe@x>\nSubject: second\n\nFrom here\n", 1000000000);
  put("cur/2:2,S", "Subject: first\n\nno end of line", 847952250);
  std::ofstream("mbox") << "From a Thu Jan 01 00:00:00 1970\n\nold\n\n";
  ASSERT_TRUE(move_maildir_to_mbox("Maildir", "mbox"));
  EXPECT_EQ(mbox(),
            "From a Thu Jan 01 00:00:00 1970\n\nold\n\n"
            "From MAILER-DAEMON Thu Nov 14 06:17:30 1996\nSubject: first\n\nno end of line\n\n"
            "From joe@x Sun Sep 09 01:46:40 2001\nReturn-Path: <joe@x>\nSubject: second\n\n"
            ">From here\n\n");
  EXPECT_TRUE(std::filesystem::is_empty("Maildir/new"));
  EXPECT_TRUE(std::filesystem::is_empty("Maildir/cur"));
}

TEST_F(MaildirToMbox, LeavesTheRestWhereItWasWhenItFails) {
  put("new/1", "a\n", 1);
  std::filesystem::create_directory("mbox");
  EXPECT_FALSE(move_maildir_to_mbox("Maildir", "mbox"));
  EXPECT_TRUE(std::filesystem::exists("Maildir/new/1"));
}

TEST_F(MaildirToMbox, NeedsAMaildir) {
  std::filesystem::remove_all("Maildir/cur");
  const auto moved = move_maildir_to_mbox("Maildir", "mbox");
  ASSERT_FALSE(moved);
  EXPECT_EQ(moved.error().text, "unable to list Maildir/cur: No such file or directory");
}

}  // namespace
}  // namespace postern::local

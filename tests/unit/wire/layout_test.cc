#include "wire/layout.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "wire/queue_names.h"

namespace postern::wire {
namespace {

using Kind = LayoutEntry::Kind;

TEST(Layout, IsReadLineByLine) {
  const auto layout = parse_layout(
      "# a comment\n"
      "\n"
      "dir   root   qmail  2755  alias  \n"
      "file  qmailr qmail  0644  queue/lock/tcpto  1024\n"
      "page  root   qmail  0644  man/man8/a.8\n"
      "maybe root   root   0600  users/mailusers\n"
      "fifo  qmails qmail  0622  queue/lock/trigger\n"
      "program root qmail  0711  bin/a\n"
      "link  root   root   -     /usr/sbin/sendmail /var/qmail/bin/sendmail\n",
      "/home");
  ASSERT_TRUE(layout);
  const std::vector<LayoutEntry> expected = {{.kind = Kind::directory,
                                              .owner = "root",
                                              .group = "qmail",
                                              .mode = 02755,
                                              .path = "/home/alias"},
                                             {.kind = Kind::file,
                                              .owner = "qmailr",
                                              .group = "qmail",
                                              .mode = 0644,
                                              .path = "/home/queue/lock/tcpto",
                                              .size = 1024},
                                             {.kind = Kind::file,
                                              .owner = "root",
                                              .group = "qmail",
                                              .mode = 0644,
                                              .path = "/home/man/man8/a.8"},
                                             {.kind = Kind::file,
                                              .owner = "root",
                                              .group = "root",
                                              .mode = 0600,
                                              .path = "/home/users/mailusers",
                                              .needed = false},
                                             {.kind = Kind::fifo,
                                              .owner = "qmails",
                                              .group = "qmail",
                                              .mode = 0622,
                                              .path = "/home/queue/lock/trigger"},
                                             {.kind = Kind::program,
                                              .owner = "root",
                                              .group = "qmail",
                                              .mode = 0711,
                                              .path = "/home/bin/a"},
                                             {.kind = Kind::link,
                                              .owner = "root",
                                              .group = "root",
                                              .path = "/usr/sbin/sendmail",
                                              .target = "/var/qmail/bin/sendmail"}};
  EXPECT_EQ(*layout, expected);
}

TEST(Layout, SpreadsOutMaildirsAndSplitDirectories) {
  const auto layout =
      parse_layout("maildir a n 0700 alias/Maildir\nsplit q q 0750 queue/mess 2\n", "/h");
  ASSERT_TRUE(layout);
  std::vector<std::string> paths;
  for (const auto& entry : *layout)
    paths.push_back(entry.path + (entry.is_split_part ? " part" : ""));
  const std::vector<std::string> expected = {
      "/h/alias/Maildir", "/h/alias/Maildir/tmp", "/h/alias/Maildir/new", "/h/alias/Maildir/cur",
      "/h/queue/mess",    "/h/queue/mess/0 part", "/h/queue/mess/1 part"};
  EXPECT_EQ(paths, expected);
}

TEST(Layout, NamesTheLineThatMakesNoSense) {
  for (const char* line :
       {"dir root qmail", "dir root qmail 0999 bin", "dir root qmail 07777777 bin",
        "house root qmail 0755 bin", "file root qmail 0644 a many", "link root root - /a"}) {
    const auto layout = parse_layout(std::string("# all\n") + line + "\n", "/h");
    ASSERT_FALSE(layout) << line;
    EXPECT_EQ(layout.error().what,
              std::string("scripts/layout has a line that makes no sense: ") + line);
  }
}

TEST(Layout, OfThisBuildHasItsSplitAndOneSetuidProgram) {
  const auto layout = installed_layout("/var/qmail");
  EXPECT_EQ(std::ranges::count_if(layout, &LayoutEntry::is_split_part),
            4 * std::ptrdiff_t{queue_split});
  std::vector<std::string> setuid;
  for (const auto& entry : layout) {
    if (entry.kind == Kind::program && (entry.mode & 06000) != 0) setuid.push_back(entry.path);
  }
  EXPECT_EQ(setuid, std::vector<std::string>{"/var/qmail/bin/qmail-queue"});
}

}  // namespace
}  // namespace postern::wire

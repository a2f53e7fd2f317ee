#include "admin/installation_check.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "support/temporary_directory.h"

namespace postern::admin {
namespace {

using wire::LayoutEntry;
using Kind = LayoutEntry::Kind;

class Installation : public ::testing::Test {
 protected:
  Installation() {
    ::umask(022);
    std::ofstream("program").put('x');
    std::filesystem::permissions("program", std::filesystem::perms{0711});
    std::filesystem::create_directory("directory");
    std::filesystem::create_symlink("/usr/bin/program", "link");
  }
  // All that is said of one path that should be like this.
  std::string check(LayoutEntry entry) {
    entry.path = directory_.path() + "/" + entry.path;
    entry.owner = "me";
    entry.group = "mine";
    std::string text;
    for (const auto& line : check_installation({entry}, passwd_, group_)) {
      text += line.substr(directory_.path().size() + 1) + "\n";
    }
    return text;
  }
  test::TemporaryDirectory directory_;
  std::string passwd_ = "me:x:" + std::to_string(::geteuid()) + ":0::/:/bin/sh\n";
  std::string group_ = "mine:x:" + std::to_string(::getegid()) + ":\n";
};

TEST_F(Installation, HasNothingAgainstWhatIsRight) {
  EXPECT_EQ(check({.kind = Kind::program, .mode = 0711, .path = "program"}), "");
  EXPECT_EQ(check({.kind = Kind::directory, .mode = 0755, .path = "directory"}), "");
  EXPECT_EQ(check({.kind = Kind::link, .path = "link", .target = "/usr/bin/program"}), "");
  EXPECT_EQ(check({.kind = Kind::file, .mode = 0600, .path = "absent", .needed = false}), "");
}

TEST_F(Installation, SaysWhatDiffers) {
  EXPECT_EQ(check({.kind = Kind::program, .mode = 04711, .path = "program"}),
            "program has mode 0711, not 4711\n");
  EXPECT_EQ(check({.kind = Kind::program, .mode = 0711, .path = "absent"}),
            "absent does not exist\n");
  EXPECT_EQ(check({.kind = Kind::directory, .mode = 0711, .path = "program"}),
            "program is not a directory\n");
  EXPECT_EQ(check({.kind = Kind::fifo, .mode = 0711, .path = "program"}),
            "program is not a named pipe\n");
  EXPECT_EQ(check({.kind = Kind::link, .path = "link", .target = "/usr/bin/programs"}),
            "link does not lead to /usr/bin/programs\n");
  EXPECT_EQ(check({.kind = Kind::link, .path = "link", .target = "/usr/bin/progra"}),
            "link does not lead to /usr/bin/progra\n");
}

TEST_F(Installation, SaysWhoseThingsAre) {
  const std::string uid = std::to_string(::geteuid());
  const std::string gid = std::to_string(::getegid());
  passwd_ = "me:x:4711:0::/:/bin/sh\n";
  group_ = "mine:x:4712:\n";
  EXPECT_EQ(check({.kind = Kind::program, .mode = 0711, .path = "program"}),
            "program belongs to user " + uid + ", not to me; belongs to group " + gid +
                ", not to mine\n");
  passwd_ = "";
  EXPECT_TRUE(check({.kind = Kind::program, .mode = 0711, .path = "program"})
                  .starts_with("program no user me in /etc/passwd; "));
}

}  // namespace
}  // namespace postern::admin

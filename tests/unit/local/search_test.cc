#include "local/search.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <fstream>
#include <map>

#include "support/temporary_directory.h"

namespace postern::local {
namespace {

using ::testing::ElementsAre;

// Remembers what it is asked for; has the files it is told of.
class FakeHome : public HomeDirectory {
 public:
  Result<std::optional<FoundFile>> open(const std::string& name) override {
    asked.push_back(name);
    if (unreadable == name) return failure("unable to open", EACCES);
    const auto file = files.find(name);
    if (file == files.end()) return std::nullopt;
    return FoundFile{Fd{}, file->second};
  }
  Result<bool> exists(const std::string& name) override {
    if (unreadable == name) return failure("unable to stat", EIO);
    return files.contains(name);
  }

  std::map<std::string, mode_t> files;
  std::string unreadable;
  std::vector<std::string> asked;
};

Recipient recipient(std::string dash, std::string extension) {
  return {.user = "joe",
          .home = "/home/joe",
          .local = "joe" + dash + extension,
          .dash = std::move(dash),
          .extension = std::move(extension),
          .host = "example.org",
          .sender = "s@example.net",
          .default_delivery = "./Maildir/"};
}

TEST(FindDotQmail, LooksForTheWholeExtensionThenForEverShorterDefaults) {
  FakeHome home;
  EXPECT_FALSE(find_dot_qmail(home, recipient("-", "A.b-c")).value());
  EXPECT_THAT(home.asked, ElementsAre(".qmail-a:b-c", ".qmail-a:b-default", ".qmail-default"));
}

TEST(FindDotQmail, SaysWhatDefaultStandsForWithItsCase) {
  FakeHome home;
  const auto to = recipient("-", "A.b-C");
  const auto default_part = [&](const char* name) {
    home.files = {{name, 0600}};
    return find_dot_qmail(home, to).value()->default_part;
  };
  EXPECT_EQ(default_part(".qmail-a:b-c"), std::nullopt);
  EXPECT_EQ(default_part(".qmail-a:b-default"), "C");
  EXPECT_EQ(default_part(".qmail-default"), "A.b-C");
}

TEST(FindDotQmail, SaysSoToWhenTheExtensionItselfEndsInDefault) {
  FakeHome home;
  home.files = {{".qmail-list-default", 0600}};
  EXPECT_EQ(find_dot_qmail(home, recipient("-", "list-Default")).value()->default_part, "Default");
}

TEST(FindDotQmail, OfAUserWithoutExtensionIsDotQmail) {
  FakeHome home;
  home.files = {{".qmail", 0644}, {".qmail-default", 0644}};
  EXPECT_EQ(find_dot_qmail(home, recipient("", "")).value()->name, ".qmail");
}

TEST(FindDotQmail, DefersWhenAFileCannotBeRead) {
  FakeHome home;
  home.unreadable = ".qmail-a-default";
  const auto found = find_dot_qmail(home, recipient("-", "a-b"));
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, 111);
  EXPECT_EQ(found.error().text, "Unable to open .qmail-a-default: Permission denied. (#4.3.0)");
}

TEST(FindDotQmail, DefersWhenAnybodyMayWriteTheFile) {
  FakeHome home;
  home.files = {{".qmail", 0602}};
  EXPECT_EQ(find_dot_qmail(home, recipient("", "")).error(),
            (Failure{111, "Uh-oh: .qmail file is writable. (#4.7.0)"}));
}

TEST(FindNewSender, IsTheSenderWithoutAnOwnerFile) {
  FakeHome home;
  EXPECT_EQ(find_new_sender(home, recipient("-", "list")), "s@example.net");
}

TEST(FindNewSender, IsTheOwnerOfAList) {
  FakeHome home;
  home.files = {{".qmail-list-owner", 0}};
  EXPECT_EQ(find_new_sender(home, recipient("-", "List")), "joe-List-owner@example.org");
}

TEST(FindNewSender, HasOneAddressForEachRecipientWithAnOwnerDefaultFile) {
  FakeHome home;
  home.files = {{".qmail-list-owner", 0}, {".qmail-list-owner-default", 0}};
  EXPECT_EQ(find_new_sender(home, recipient("-", "list")), "joe-list-owner-@example.org-@[]");
}

TEST(FindNewSender, LeavesBouncesAlone) {
  FakeHome home;
  home.files = {{".qmail-list-owner", 0}};
  auto to = recipient("-", "list");
  for (const char* sender : {"", "#@[]"}) {
    to.sender = sender;
    EXPECT_EQ(find_new_sender(home, to), sender);
  }
}

TEST(FindNewSender, DefersWhenItCannotBeTold) {
  FakeHome home;
  home.unreadable = ".qmail-list-owner";
  EXPECT_EQ(find_new_sender(home, recipient("-", "list")).error().text,
            "Unable to open .qmail-list-owner: Input/output error. (#4.3.0)");
}

TEST(CurrentDirectory, HasNoDotQmailThatIsNotARegularFile) {
  const test::TemporaryDirectory here;
  std::filesystem::create_directory(".qmail-directory");
  ASSERT_EQ(::mkfifo(".qmail-fifo", 0600), 0);
  std::ofstream(".qmail-file") << "#\n";
  std::filesystem::create_symlink(".qmail-file", ".qmail-link");
  CurrentDirectory home;
  EXPECT_FALSE(home.open(".qmail-directory").value());
  EXPECT_FALSE(home.open(".qmail-fifo").value());
  EXPECT_FALSE(home.open(".qmail-missing").value());
  EXPECT_FALSE(home.open(".qmail-" + std::string(300, 'x')).value());
  EXPECT_TRUE(home.open(".qmail-file").value());
  EXPECT_TRUE(home.open(".qmail-link").value());
  EXPECT_EQ(home.exists(".qmail-file"), true);
  EXPECT_EQ(home.exists(".qmail-missing"), false);
}

}  // namespace
}  // namespace postern::local

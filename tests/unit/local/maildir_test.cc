#include "local/maildir.h"

#include <gmock/gmock.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <csignal>

#include "unit/local/mailbox_fixture.h"

namespace postern::local {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

class Maildir : public Mailboxes {
 protected:
  Maildir() {
    for (const char* part : {"Maildir/tmp", "Maildir/new", "Maildir/cur"}) {
      std::filesystem::create_directories(part);
    }
  }
  Outcome deliver(const std::string& directory = "./Maildir/") {
    return deliver_to_maildir(directory, "Return-Path: <s@h>\n", message("Subject: x\n\nhello"),
                              names_);
  }
  static Failure trouble() { return {111, "Temporary error on maildir delivery. (#4.3.0)"}; }

  std::int64_t now_ = 1700000000;
  int pauses_ = 0;
  MaildirNames names_{.host = "mail.example.org",
                      .pid = 4711,
                      .now = [this] { return now_; },
                      .pause =
                          [this](std::chrono::seconds span) {
                            ++pauses_;
                            now_ += span.count();
                          }};
};

TEST_F(Maildir, GetsTheMessageInNewForItsOwnerAlone) {
  ASSERT_TRUE(deliver());
  const std::string name = "1700000000.4711.mail.example.org";
  EXPECT_THAT(names_in("Maildir/new"), ElementsAre(name));
  EXPECT_THAT(names_in("Maildir/tmp"), IsEmpty());
  EXPECT_EQ(content_of("Maildir/new/" + name), "Return-Path: <s@h>\nSubject: x\n\nhello");
  EXPECT_EQ(stat_file("Maildir/new/" + name)->st_mode & 07777, 0600U);
}

TEST_F(Maildir, GetsDifferentNamesFromOneProcessInOneSecond) {
  ASSERT_TRUE(deliver());
  ASSERT_TRUE(deliver());
  EXPECT_THAT(names_in("Maildir/new"), UnorderedElementsAre("1700000000.4711.mail.example.org",
                                                            "1700000000.4711_1.mail.example.org"));
}

TEST_F(Maildir, WaitsForAnotherSecondWhenANameIsInUse) {
  std::ofstream("Maildir/tmp/1700000000.4711.mail.example.org") << "somebody else's";
  ASSERT_TRUE(deliver());
  EXPECT_EQ(pauses_, 1);
  EXPECT_THAT(names_in("Maildir/new"), ElementsAre("1700000002.4711_1.mail.example.org"));
  EXPECT_EQ(content_of("Maildir/tmp/1700000000.4711.mail.example.org"), "somebody else's");
}

TEST_F(Maildir, NeverReplacesAMessage) {
  std::ofstream("Maildir/new/1700000000.4711.mail.example.org") << "somebody else's";
  EXPECT_EQ(deliver().error(), trouble());
  EXPECT_EQ(content_of("Maildir/new/1700000000.4711.mail.example.org"), "somebody else's");
  EXPECT_THAT(names_in("Maildir/tmp"), IsEmpty());
}

TEST_F(Maildir, ThatIsMissingOrAFileDefersTheMail) {
  const Failure expected{111, "Unable to chdir to maildir. (#4.2.1)"};
  std::ofstream("file") << "";
  EXPECT_EQ(deliver("./nowhere/").error(), expected);
  EXPECT_EQ(deliver("./file/").error(), expected);
}

TEST_F(Maildir, WithoutTmpOrNewDefersTheMail) {
  std::filesystem::remove("Maildir/new");
  EXPECT_EQ(deliver().error(), trouble());
  EXPECT_THAT(names_in("Maildir/tmp"), IsEmpty());
  std::filesystem::remove("Maildir/tmp");
  EXPECT_EQ(deliver().error(), trouble());
}

TEST_F(Maildir, IsLeftAsItWasWhenTheMessageDoesNotFit) {
  const pid_t child = ::fork();
  if (child == 0) {
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{30, 30};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    const auto outcome = deliver();
    ::_exit(!outcome && outcome.error() == trouble() ? 77 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(WEXITSTATUS(status), 77);
  EXPECT_THAT(names_in("Maildir/new"), IsEmpty());
  EXPECT_THAT(names_in("Maildir/tmp"), IsEmpty());
}

TEST_F(Maildir, TakesMessagesLongerThanABuffer) {
  const std::string text(300000, 'x');
  ASSERT_TRUE(deliver_to_maildir("./Maildir/", "head\n", message(text), names_));
  EXPECT_EQ(content_of("Maildir/new/1700000000.4711.mail.example.org"), "head\n" + text);
}

TEST(MaildirNames, OfThisProcessBearItsNumberAndTheHost) {
  auto names = MaildirNames::of_this_process();
  EXPECT_EQ(names.pid, ::getpid());
  EXPECT_FALSE(names.host.empty());
  EXPECT_NE(names.next(), names.next());
}

}  // namespace
}  // namespace postern::local

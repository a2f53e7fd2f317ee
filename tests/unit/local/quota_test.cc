#include "local/quota.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include "posix/environment.h"
#include "unit/local/mailbox_fixture.h"

namespace postern::local {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr std::string_view line_of_a_message = "20 1         \n";

class Quotas : public Mailboxes {
 protected:
  Quotas() {
    make("Maildir");
    unset_environment_variable("QMAILQUOTA");
    unset_environment_variable("QMAILQUOTAWARN");
  }
  static void make(const std::string& maildir) {
    for (const char* part : {"/tmp", "/new", "/cur"}) {
      std::filesystem::create_directories(maildir + part);
    }
  }
  static void write(const std::string& path, const std::string& text) {
    std::ofstream(path, std::ios::binary) << text;
  }
  // 20 bytes, each time.
  Outcome deliver(const std::string& directory = "./Maildir/") {
    return deliver_within_quota(directory, "head\n", message("Subject: x\n\nxx\n"), names_);
  }
  void set_age(std::int64_t seconds, const char* path = "Maildir/maildirsize") const {
    const timespec times[2] = {{now_ - seconds, 0}, {now_ - seconds, 0}};
    ASSERT_EQ(::utimensat(AT_FDCWD, path, times, 0), 0);
  }
  static std::string size() { return content_of("Maildir/maildirsize"); }
  static Failure full() { return {100, "Sorry, this mailbox is full. (#5.2.2)"}; }

  std::int64_t now_ = 1700000000;
  MaildirNames names_{.host = "mail.example.org",
                      .pid = 4711,
                      .now = [this] { return now_; },
                      .pause = [this](std::chrono::seconds span) { now_ += span.count(); }};
};

TEST_F(Quotas, ThatAreNotThereDoNotAppear) {
  ASSERT_TRUE(deliver());
  EXPECT_FALSE(std::filesystem::exists("Maildir/maildirsize"));
  EXPECT_THAT(names_in("Maildir/new"), SizeIs(1));
}

TEST_F(Quotas, GetALineForEachMessage) {
  write("Maildir/maildirsize", "1000S\n100 2\n");
  ASSERT_TRUE(deliver());
  ASSERT_TRUE(deliver());
  EXPECT_EQ(size(),
            "1000S\n100 2\n" + std::string(line_of_a_message) + std::string(line_of_a_message));
}

TEST_F(Quotas, RefuseWhatIsTooMuchOnceCounted) {
  write("Maildir/maildirsize", "100S\n81 2\n");
  set_age(60);
  EXPECT_EQ(deliver().error(), full());
  EXPECT_THAT(names_in("Maildir/new"), IsEmpty());
  EXPECT_EQ(size(), "100S\n81 2\n") << "it has just been counted";
  write("Maildir/maildirsize", "100S\n80 2\n");
  EXPECT_TRUE(deliver());
}

TEST_F(Quotas, LimitTheNumberOfMessagesToo) {
  write("Maildir/maildirsize", "1000000S,2C\n80 2\n");
  set_age(60);
  EXPECT_EQ(deliver().error(), full());
}

TEST_F(Quotas, DeferWhereThatIsWanted) {
  write("Maildir/maildirsize", "10S\n0 0\n");
  set_age(60);
  set_environment_variable("QMAILQUOTA", "defer");
  EXPECT_EQ(deliver().error(), (Failure{111, "This mailbox is full. (#4.2.2)"}));
}

TEST_F(Quotas, AreCountedAnewBeforeAMessageIsRefused) {
  write("Maildir/cur/1.2.h:2,S", std::string(30, 'x'));
  write("Maildir/cur/2.2.h,S=7:2,S", std::string(30, 'x'));
  write("Maildir/cur/3.2.h:2,ST", std::string(30, 'x'));
  make("Maildir/.Work");
  write("Maildir/.Work/new/1.3.h", std::string(5, 'x'));
  make("Maildir/.Trash");
  write("Maildir/.Trash/new/1.4.h", std::string(90, 'x'));
  write("Maildir/maildirsize", "100S\n90 3\n5 1\n");
  ASSERT_TRUE(deliver());
  EXPECT_EQ(size(), "100S\n42 3         \n" + std::string(line_of_a_message));
  EXPECT_THAT(names_in("Maildir/tmp"), IsEmpty());
}

TEST_F(Quotas, AreCountedAnewAfterAQuarterOfAnHour) {
  write("Maildir/maildirsize", "100S\n90 3\n");
  set_age(900);
  EXPECT_EQ(deliver().error(), full());
  set_age(901);
  EXPECT_TRUE(deliver());
  write("Maildir/maildirsize", "100S\n90 3\n");
  set_age(-10);
  EXPECT_TRUE(deliver()) << "a clock was wrong";
}

TEST_F(Quotas, AreCountedAnewWhenTheFileIsLong) {
  std::string text = "1000S\n";
  while (text.size() <= 5120) text += line_of_a_message;
  write("Maildir/maildirsize", text);
  ASSERT_TRUE(deliver());
  EXPECT_EQ(size(), "1000S\n0 0          \n" + std::string(line_of_a_message));
}

TEST_F(Quotas, AreThoseOfTheMailboxInItsFolders) {
  make("Maildir/.Work");
  write("Maildir/.Work/maildirfolder", "");
  write("Maildir/maildirsize", "30S\n0 0\n");
  ASSERT_TRUE(deliver("./Maildir/.Work/"));
  EXPECT_EQ(size(), "30S\n0 0\n" + std::string(line_of_a_message));
  EXPECT_EQ(deliver("./Maildir/.Work/").error(), full());
  EXPECT_THAT(names_in("Maildir/.Work/new"), SizeIs(1));
}

TEST_F(Quotas, OfAMailboxThatDovecotMarksAsAFolderAreItsOwn) {
  write("Maildir/maildirfolder", "");
  write("Maildir/maildirsize", "30S\n0 0\n");
  ASSERT_TRUE(deliver());
  EXPECT_EQ(size(), "30S\n0 0\n" + std::string(line_of_a_message));
  EXPECT_EQ(deliver().error(), full());
}

TEST_F(Quotas, NeverCostAMessageWhenTheirFileIsDamaged) {
  for (const std::string text :
       {"", "\n", "NOQUOTA\n", "12X\n1 1\n", "S\n", "99999999999999999999999S\n", "100S\n1\n",
        "100S\nx y\n", "100S\n9223372036854775807 1\n1 1\n", "100S\n90 1", "100S"}) {
    write("Maildir/maildirsize", text);
    EXPECT_TRUE(deliver()) << text;
    std::filesystem::remove_all("Maildir/new");
    make("Maildir");
  }
  std::filesystem::remove("Maildir/maildirsize");
  std::filesystem::create_directory("Maildir/maildirsize");
  EXPECT_TRUE(deliver());
  std::filesystem::remove("Maildir/maildirsize");
  ASSERT_EQ(::mkfifo("Maildir/maildirsize", 0600), 0);
  EXPECT_TRUE(deliver());
}

TEST_F(Quotas, WarnOnceADayFromNineTenthsOn) {
  write("warning", "Subject: nearly full\n\n");
  set_environment_variable("QMAILQUOTAWARN", "warning");
  write("Maildir/maildirsize", "100S\n60 1\n");
  ASSERT_TRUE(deliver());
  EXPECT_THAT(names_in("Maildir/new"), SizeIs(1)) << "80 of 100";
  write("Maildir/maildirsize", "100S\n70 1\n");
  ASSERT_TRUE(deliver());
  EXPECT_THAT(names_in("Maildir/new"), SizeIs(3)) << "90 of 100";
  EXPECT_EQ(size(), "100S\n70 1\n" + std::string(line_of_a_message) + "22 1         \n");
  write("Maildir/maildirsize", "100S\n70 1\n");
  now_ += 86399;
  ASSERT_TRUE(deliver());
  EXPECT_THAT(names_in("Maildir/new"), SizeIs(4)) << "less than a day later";
  write("Maildir/maildirsize", "100S\n70 1\n");
  now_ += 1;
  ASSERT_TRUE(deliver());
  EXPECT_THAT(names_in("Maildir/new"), SizeIs(6)) << "a day later";
}

}  // namespace
}  // namespace postern::local

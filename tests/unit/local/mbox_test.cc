#include "local/mbox.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <csignal>
#include <thread>

#include "local/from_quoter.h"
#include "unit/local/mailbox_fixture.h"

namespace postern::local {
namespace {

using namespace std::chrono_literals;

std::string quote(std::string_view text, std::size_t piece = 1000) {
  FromQuoter quoter;
  std::string out;
  for (; !text.empty(); text.remove_prefix(std::min(piece, text.size()))) {
    quoter.feed(text.substr(0, piece), out);
  }
  quoter.finish(out);
  return out;
}

TEST(FromQuoter, MarksLinesThatLookLikeTheNextMessage) {
  EXPECT_EQ(quote("From me\n>From you\n>>From all\nFrom\nfrom x\n From x\n> From x\n>\n"),
            ">From me\n>>From you\n>>>From all\nFrom\nfrom x\n From x\n> From x\n>\n\n");
}

TEST(FromQuoter, DoesNotCareHowTheTextIsCut) {
  const std::string text = "a\nFrom x\nFro\nFrom\n>>From y\nFromFrom z\n\nFrom ";
  for (std::size_t piece = 1; piece < text.size(); ++piece) {
    EXPECT_EQ(quote(text, piece), quote(text));
  }
}

TEST(FromQuoter, EndsAMessageInABlankLine) {
  EXPECT_EQ(quote("x\n"), "x\n\n");
  EXPECT_EQ(quote("x"), "x\n\n");
  EXPECT_EQ(quote("From"), "From\n\n");
  EXPECT_EQ(quote("From "), ">From \n\n");
  EXPECT_EQ(quote(""), "\n");
}

class Mbox : public Mailboxes {
 protected:
  static constexpr std::string_view head =
      "From s@h Fri Aug 02 15:16:26 2002\nReturn-Path: <s@h>\n";
  static constexpr std::string_view delivered =
      "From s@h Fri Aug 02 15:16:26 2002\nReturn-Path: <s@h>\nSubject: x\n\nhello\n\n";
  Outcome deliver(const std::string& path, std::chrono::milliseconds patience = 10s) {
    return deliver_to_mbox(path, head, message("Subject: x\n\nhello\n"), patience);
  }
  static void put(const std::string& path, std::string_view text) {
    std::ofstream(path, std::ios::binary) << text;
  }
};

TEST_F(Mbox, IsMadeForItsOwnerAlone) {
  ASSERT_TRUE(deliver("./Mailbox"));
  EXPECT_EQ(content_of("Mailbox"), delivered);
  EXPECT_EQ(stat_file("Mailbox")->st_mode & 07777, 0600U);
}

TEST_F(Mbox, GetsTheMessageAtItsEnd) {
  ASSERT_TRUE(deliver("./Mailbox"));
  ASSERT_TRUE(deliver("./Mailbox"));
  EXPECT_EQ(content_of("Mailbox"), std::string(delivered).append(delivered));
}

TEST_F(Mbox, DoesNotLetAnAppendThatWasCutOffSwallowTheNextMessage) {
  for (const auto& [before, gap] : {std::pair("From x\nhal", "\n\n"), std::pair("From x\n", "\n"),
                                    std::pair("x", "\n\n"), std::pair("\n", "")}) {
    put("Mailbox", before);
    ASSERT_TRUE(deliver("./Mailbox"));
    EXPECT_EQ(content_of("Mailbox"), std::string(before).append(gap).append(delivered));
  }
}

TEST_F(Mbox, IsLeftAsItWasWhenTheMessageDoesNotFit) {
  put("Mailbox", "before\n\n");
  const pid_t child = ::fork();
  if (child == 0) {
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{60, 60};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    // Written in the parent already; this process cannot make files as long as that.
    const auto outcome = deliver_to_mbox("./Mailbox", head, message("Subject: x\n\nhello\n"));
    ::_exit(outcome                                                                         ? 0
            : outcome.error().text == "Unable to write ./Mailbox: File too large. (#4.3.0)" ? 77
                                                                                            : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(WEXITSTATUS(status), 77);
  EXPECT_EQ(content_of("Mailbox"), "before\n\n");
}

TEST_F(Mbox, WaitsForEitherKindOfLockThatAnotherHolds) {
  put("Mailbox", "");
  for (const bool use_flock : {true, false}) {
    Fd other = open_file("Mailbox", O_RDWR).value();
    struct flock whole{};
    whole.l_type = F_WRLCK;
    ASSERT_EQ(use_flock ? ::flock(other.get(), LOCK_EX) : ::fcntl(other.get(), F_OFD_SETLK, &whole),
              0);
    const auto outcome = deliver("./Mailbox", 50ms);
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error(),
              (Failure{111, "File has been locked for 30 seconds straight. (#4.3.0)"}));
    EXPECT_EQ(content_of("Mailbox"), "");
  }
  ASSERT_TRUE(deliver("./Mailbox", 50ms));
}

TEST_F(Mbox, GoesToTheFileThatHasTakenItsPlaceWhileItWasLocked) {
  put("Mailbox", "old");
  Fd other = open_file("Mailbox", O_RDWR).value();
  ASSERT_EQ(::flock(other.get(), LOCK_EX), 0);
  std::thread reader([&] {
    std::this_thread::sleep_for(60ms);
    put("new", "");
    std::filesystem::rename("new", "Mailbox");
    other.reset();
  });
  const auto outcome = deliver("./Mailbox");
  reader.join();
  ASSERT_TRUE(outcome);
  EXPECT_EQ(content_of("Mailbox"), delivered);
}

TEST_F(Mbox, KeepsAllMessagesOfManyAtATime) {
  const auto text = message("Subject: x\n\nhello\n");
  std::vector<pid_t> children;
  for (int i = 0; i < 8; ++i) {
    const pid_t child = ::fork();
    if (child == 0) ::_exit(deliver_to_mbox("./Mailbox", head, text, 20s) ? 0 : 1);
    children.push_back(child);
  }
  std::string expected;
  for (const pid_t child : children) {
    int status = -1;
    ::waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
    expected += delivered;
  }
  EXPECT_EQ(content_of("Mailbox"), expected);
}

TEST_F(Mbox, IsNeverADirectoryOrAFifo) {
  std::filesystem::create_directory("directory");
  ASSERT_EQ(::mkfifo("fifo", 0600), 0);
  EXPECT_EQ(deliver("./directory").error(),
            (Failure{111, "Unable to open ./directory: Is a directory. (#4.2.1)"}));
  EXPECT_EQ(deliver("./fifo").error(),
            (Failure{111, "Unable to open ./fifo: not a file. (#4.2.1)"}));
  EXPECT_EQ(deliver("./missing/box").error(),
            (Failure{111, "Unable to open ./missing/box: No such file or directory. (#4.2.1)"}));
}

TEST_F(Mbox, MayBeDevNull) { EXPECT_TRUE(deliver("/dev/null")); }

TEST_F(Mbox, ReportsADeviceThatIsFull) {
  EXPECT_EQ(deliver("/dev/full").error(),
            (Failure{111, "Unable to write /dev/full: No space left on device. (#4.3.0)"}));
}

}  // namespace
}  // namespace postern::local

// A qmail-local that qmail-lspawn lets stay, and the test in the place of qmail-lspawn.
#include <gmock/gmock.h>
#include <sys/wait.h>

#include "local/deliver.h"
#include "posix/io.h"
#include "posix/packets.h"
#include "posix/pipe.h"
#include "support/kept_worker.h"
#include "unit/local/mailbox_fixture.h"
#include "wire/kept_worker.h"

namespace postern::local {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class KeptQmailLocal : public Mailboxes {
 public:
  ~KeptQmailLocal() override {
    socket_.reset();
    if (pid_ > 0) ::waitpid(pid_, nullptr, 0);
  }

 protected:
  KeptQmailLocal() {
    std::filesystem::permissions(here_.path(), std::filesystem::perms{0755});
    for (const char* part : {"home/Maildir/tmp", "home/Maildir/new", "home/Maildir/cur"}) {
      std::filesystem::create_directories(part);
    }
  }

  [[nodiscard]] std::vector<std::string> words(const std::string& extension) const {
    const std::string dash = extension.empty() ? "" : "-";
    return {
        "--",  "joe",       here_.path() + "/home", "joe" + dash + extension, dash, extension, "h",
        "s@h", "./Maildir/"};
  }
  void start(const std::string& text, std::string name = std::string(wire::local_program),
             const std::string& extension = "") {
    std::vector<std::string> all = words(extension);
    all.insert(all.begin(), std::move(name));
    std::vector<char*> pointers;
    for (auto& word : all) pointers.push_back(word.data());
    const Message first = message(text);
    auto sockets = make_packet_pair().value();
    auto output = make_pipe().value();
    pid_ = ::fork();
    if (pid_ == 0) {
      ::dup2(first.fd(), 0);
      test::become_kept_worker(output.write.get(), sockets.theirs.get());
      ::dup2(1, 2);
      ::_exit(run(pointers));
    }
    socket_ = std::move(sockets.ours);
    output_ = std::move(output.read);
  }
  void order(const std::string& text, const std::string& extension = "") {
    const Message next = message(text);
    ASSERT_TRUE(send_packet(socket_.get(), wire::format_kept_order(words(extension)),
                            std::array{next.fd()}));
  }
  // "0" when it says that it stays; "" when it does not.
  std::string said() {
    const auto packet = receive_packet(socket_.get(), 100);
    return packet && *packet ? std::to_string((*packet)->bytes.front()) : "";
  }
  // Its exit code and all its output.
  std::string end() {
    socket_.reset();
    const std::string text = read_to_end(output_.get(), 100000).value();
    int status = -1;
    ::waitpid(std::exchange(pid_, 0), &status, 0);
    return (WIFEXITED(status) ? std::to_string(WEXITSTATUS(status)) : "crashed") + " " + text;
  }
  [[nodiscard]] std::vector<std::string> delivered() const {
    std::vector<std::string> texts;
    auto names = names_in("home/Maildir/new");
    std::ranges::sort(names);
    for (const auto& name : names) {
      const std::string text = content_of("home/Maildir/new/" + name);
      texts.push_back(text.substr(text.find("\n\n") + 2));
    }
    std::ranges::sort(texts);
    return texts;
  }

  pid_t pid_ = 0;
  Fd socket_;
  Fd output_;
};

TEST_F(KeptQmailLocal, DeliversOneMessageAfterAnother) {
  start("\nfirst\n");
  EXPECT_EQ(said(), "0");
  order("\nsecond\n");
  EXPECT_EQ(said(), "0");
  order("\nthird\n");
  EXPECT_EQ(said(), "0");
  EXPECT_EQ(end(), "0 did 1+0+0\ndid 1+0+0\ndid 1+0+0\n");
  EXPECT_THAT(delivered(), ElementsAre("first\n", "second\n", "third\n"));
}

TEST_F(KeptQmailLocal, HoldsNoMessageWhileItWaits) {
  start("\nfirst\n");
  EXPECT_EQ(said(), "0");
  order("\nsecond\n");
  EXPECT_EQ(said(), "0");
  std::vector<std::string> open;
  for (const auto& entry :
       std::filesystem::directory_iterator("/proc/" + std::to_string(pid_) + "/fd")) {
    open.push_back(std::filesystem::read_symlink(entry).string());
  }
  EXPECT_THAT(open, ::testing::Not(::testing::Contains(HasSubstr("message-"))));
}

TEST_F(KeptQmailLocal, LeavesWithTheExitCodeOfADeliveryThatFails) {
  start("\nfirst\n");
  EXPECT_EQ(said(), "0");
  order("\nsecond\n", "nobody");
  EXPECT_EQ(said(), "");
  EXPECT_EQ(end(), "100 did 1+0+0\nSorry, no mailbox here by that name. (#5.1.1)\n");
}

// What a program leaves running still has the descriptors of this delivery.
TEST_F(KeptQmailLocal, DoesNotStayAfterAProgram) {
  std::ofstream("home/.qmail-program") << "|cat >seen; ls -l /proc/self/fd >open\n";
  start("\nfirst\n");
  EXPECT_EQ(said(), "0");
  order("\nsecond\n", "program");
  EXPECT_EQ(said(), "");
  EXPECT_EQ(end(), "0 did 1+0+0\ndid 0+0+1\n");
  EXPECT_EQ(content_of("home/seen"), "\nsecond\n");
  EXPECT_THAT(content_of("home/open"), ::testing::Not(HasSubstr("socket:")));
}

TEST_F(KeptQmailLocal, TellsAProgramWhomALaterDeliveryIsFor) {
  std::ofstream("home/.qmail-a-default") << "./Maildir/\n";
  std::ofstream("home/.qmail-b")
      << "|echo \"$LOCAL $EXT [$DEFAULT] [$POSTERN_KEPT_WORKER]\" >seen\n";
  start("\nfirst\n", std::string(wire::local_program), "a-x");
  EXPECT_EQ(said(), "0");
  order("\nsecond\n", "b");
  EXPECT_EQ(said(), "");
  EXPECT_EQ(content_of("home/seen"), "joe-b b [] []\n");
}

// A script in the place of bin/qmail-local would see the first delivery and none of the others.
TEST_F(KeptQmailLocal, DoesNotStayUnderAnotherName) {
  start("\nfirst\n", "bin/qmail-local.real");
  EXPECT_EQ(end(), "0 did 1+0+0\n");
  EXPECT_THAT(delivered(), ElementsAre("first\n"));
}

// Whoever sent it waits for what becomes of a message: exit 0 would be success.
TEST_F(KeptQmailLocal, DefersWhatItCannotTake) {
  for (const bool whole : {true, false}) {
    start("\nfirst\n");
    EXPECT_EQ(said(), "0");
    // Without its descriptor, as the kernel hands it over when there is no room for one.
    ASSERT_TRUE(send_packet(socket_.get(), whole ? wire::format_kept_order(words("")) : "joe"));
    EXPECT_EQ(said(), "");
    EXPECT_EQ(end(), "111 did 1+0+0\nUnable to take another message. (#4.3.0)\n");
  }
}

}  // namespace
}  // namespace postern::local

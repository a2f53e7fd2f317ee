// qmail-getpw as it is run, and as it stays, with the test in the place of qmail-lspawn.
#include "spawn/getpw_program.h"

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <fstream>

#include "posix/io.h"
#include "posix/packets.h"
#include "posix/pipe.h"
#include "spawn/assign.h"
#include "support/kept_worker.h"
#include "support/temporary_directory.h"

namespace postern::spawning {
namespace {

using namespace std::string_literals;

class OnlyAlias : public UserDatabase {
 public:
  Result<std::optional<SystemUser>> find(const std::string& name) override {
    if (name != "alias") return std::nullopt;
    return SystemUser{"alias", 7, 8, "/alias"};
  }
  Result<std::optional<uid_t>> owner_of(const std::string&) override { return std::nullopt; }
};

std::string of_alias(const std::string& local) {
  return "alias\0007\0008\0/alias\0-\0"s + local + '\0';
}

class QmailGetpw : public ::testing::Test {
 public:
  ~QmailGetpw() override {
    socket_.reset();
    if (pid_ > 0) ::waitpid(pid_, nullptr, 0);
  }

 protected:
  QmailGetpw() {
    std::filesystem::create_directory("users");
    assign("=daemon:joe:1234:2345:/home/joe:-:assigned:\n");
  }
  static void assign(const std::string& lines) {
    std::ofstream("users/assign") << lines << ".\n";
    ASSERT_TRUE(make_users_cdb());
  }
  void start(std::string name, std::string local) {
    char* words[] = {name.data(), local.data()};
    auto sockets = make_packet_pair().value();
    auto output = make_pipe().value();
    pid_ = ::fork();
    if (pid_ == 0) {
      test::become_kept_worker(output.write.get(), sockets.theirs.get());
      OnlyAlias system;
      ::_exit(run_getpw(words, system, 1));
    }
    socket_ = std::move(sockets.ours);
    output_ = std::move(output.read);
  }
  void order(const std::string& bytes) { ASSERT_TRUE(send_packet(socket_.get(), bytes)); }
  // What it has printed, when it says that it stays; else its exit code.
  std::string answer() {
    const auto packet = receive_packet(socket_.get(), 100);
    if (!packet || !*packet) return end();
    char chunk[1000];
    return {chunk, read_some(output_.get(), chunk).value()};
  }
  std::string end() {
    socket_.reset();
    int status = -1;
    ::waitpid(std::exchange(pid_, 0), &status, 0);
    return WIFEXITED(status) ? std::to_string(WEXITSTATUS(status)) : "crashed";
  }

  const std::string program_{wire::getpw_program};
  test::TemporaryDirectory here_;
  pid_t pid_ = 0;
  Fd socket_;
  Fd output_;
};

TEST_F(QmailGetpw, AnswersFromTheSystemAloneForItsCommandLine) {
  start(program_, "daemon");
  EXPECT_EQ(answer(), of_alias("daemon"));
}

TEST_F(QmailGetpw, AsksUsersCdbFirstForAnAddressThatIsSentToIt) {
  start(program_, "nobody-x");
  EXPECT_EQ(answer(), of_alias("nobody-x"));
  order("Daemon\0"s);
  EXPECT_EQ(answer(), "joe\0001234\0002345\0/home/joe\0-\0assigned\0"s);
  order("nobody-x\0"s);
  EXPECT_EQ(answer(), of_alias("nobody-x"));
  assign("+nobody-:bob:1:2:/bob:-::\n");
  order("nobody-x\0"s);
  EXPECT_EQ(answer(), "bob\0001\0002\0/bob\0-\0x\0"s) << "that has just changed";
  std::filesystem::remove("users/cdb");
  order("nobody-x\0"s);
  EXPECT_EQ(answer(), of_alias("nobody-x")) << "that has just gone";
  EXPECT_EQ(end(), "0");
}

TEST_F(QmailGetpw, EndsWithTheReasonOfAFailure) {
  start(program_, "nobody");
  EXPECT_EQ(answer(), of_alias("nobody"));
  std::ofstream("users/cdb") << "this is no cdb file";
  order("nobody\0"s);
  EXPECT_EQ(answer(), "117");
}

TEST_F(QmailGetpw, TakesOneWordAtATime) {
  for (const std::string& wrong : {"nobody"s, "nobody\0nobody\0"s}) {
    start(program_, "nobody");
    EXPECT_EQ(answer(), of_alias("nobody"));
    order(wrong);
    EXPECT_EQ(answer(), "118");
  }
}

// Something stands in front of it that would not see the later addresses.
TEST_F(QmailGetpw, DoesNotStayUnderAnotherName) {
  start("bin/qmail-getpw.real", "nobody");
  EXPECT_EQ(answer(), "0");
  EXPECT_EQ(read_to_end(output_.get(), 1000).value(), of_alias("nobody"));
}

}  // namespace
}  // namespace postern::spawning

// qmail-popup's and qmail-pop3d's loops on real descriptors: what ends them, and what they read.
#include "pop3/connection.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "pop3/popup.h"
#include "posix/signals.h"
#include "support/temporary_directory.h"

namespace postern::pop3 {
namespace {

using namespace std::chrono_literals;

// The server in a thread, the client here.
class PopConnection : public testing::Test {
 protected:
  PopConnection() {
    ignore_signal(SIGPIPE);
    for (const char* folder : {"Maildir/tmp", "Maildir/new", "Maildir/cur"}) {
      std::filesystem::create_directories(folder);
    }
    std::ofstream("Maildir/new/1") << "a: b\n\n.hello\n";
    std::ofstream("Maildir/new/2") << "c: d\n";
  }
  void TearDown() override {
    client_.reset();
    if (thread_.joinable()) thread_.join();
  }
  template <class Serve>
  void start(Serve serve) {
    int ends[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    client_.reset(ends[0]);
    thread_ = std::thread([this, serve, end = ends[1]] {
      exit_ = serve(end);
      ::close(end);
    });
  }
  void open_mailbox(LineInput::Limits limits = {30s, 60s}) {
    start([limits](int fd) {
      const auto maildir = Maildir::open("Maildir");
      const auto mailbox = maildir->scan(INT64_MAX);
      serve_mailbox(*maildir, *mailbox, fd, fd, limits);
      return 0;
    });
  }
  void log_in(std::vector<std::string> arguments, LineInput::Limits limits = {30s, 60s}) {
    start([=](int fd) { return serve_popup(arguments, fd, fd, limits); });
  }
  void say(std::string_view text) { ASSERT_TRUE(write_all(client_.get(), text)); }
  void stop_sending() const { ::shutdown(client_.get(), SHUT_WR); }
  std::string rest() {
    const auto text = read_to_end(client_.get(), 1 << 20, Deadline::after(30s));
    return text ? *text : describe(text.error());
  }
  int exit_code() {
    thread_.join();
    return exit_;
  }
  static bool both_are_new() {
    return std::filesystem::exists("Maildir/new/1") && std::filesystem::exists("Maildir/new/2");
  }

  test::TemporaryDirectory directory_;
  Fd client_;
  std::thread thread_;
  int exit_ = -1;
};

TEST_F(PopConnection, WholeSession) {
  open_mailbox();
  say("UIDL\r\nRETR 1\r\nTOP 1 0\r\nDELE 2\r\nLIST\r\nQUIT\r\n");
  EXPECT_EQ(rest(),
            "+OK \r\n"
            "+OK \r\n1 1\r\n2 2\r\n.\r\n"
            "+OK \r\na: b\r\n\r\n..hello\r\n.\r\n"
            "+OK \r\na: b\r\n\r\n.\r\n"
            "+OK \r\n"
            "+OK \r\n1 13\r\n.\r\n"
            "+OK \r\n");
  EXPECT_TRUE(std::filesystem::exists("Maildir/cur/1:2,S"));
  EXPECT_FALSE(std::filesystem::exists("Maildir/new/2"));
}

TEST_F(PopConnection, ClientThatVanishesDeletesNothing) {
  for (const char* last :
       {"DELE 1\r\n", "DELE 1\r\nDELE 2", "DELE 1\r\nQUIT", "DELE 1\r\nQUIT\r"}) {
    open_mailbox();
    say(last);
    stop_sending();
    rest();
    thread_.join();
    EXPECT_TRUE(both_are_new()) << last;
  }
}

TEST_F(PopConnection, SilentClientDeletesNothing) {
  open_mailbox({50ms, 60s});
  say("DELE 1\r\n");
  EXPECT_EQ(rest(), "+OK \r\n+OK \r\n");
  EXPECT_TRUE(both_are_new());
}

TEST_F(PopConnection, EndlessLineIsOneErrorAndNothingOfItIsKept) {
  open_mailbox();
  for (int i = 0; i < 100; ++i) say(std::string(10'000, 'x'));
  say("\r\nNOOP\r\nQUIT\r\n");
  EXPECT_EQ(rest(), "+OK \r\n-ERR line too long\r\n+OK \r\n+OK \r\n");
}

TEST_F(PopConnection, SessionEndsHoweverSlowlyBytesCome) {
  open_mailbox({30s, 0ms});
  say("DELE 1\r\n");
  EXPECT_EQ(rest(), "+OK \r\n");
  EXPECT_TRUE(both_are_new());
}

TEST_F(PopConnection, MessageThatIsGoneIsAnError) {
  open_mailbox();
  char greeting[6];
  ASSERT_EQ(*read_some(client_.get(), greeting), 6U);
  std::filesystem::remove("Maildir/new/1");
  say("RETR 1\r\nLAST\r\nQUIT\r\n");
  EXPECT_EQ(rest(), "-ERR unable to open that message\r\n+OK 0\r\n+OK \r\n");
}

TEST_F(PopConnection, CheckerGetsTheCredentialsAndTheClient) {
  log_in({"mx.example", "sh", "-c", "tr '\\0' '|' <&3; read line; echo; echo \"$line\"; echo $0",
          "subprogram"});
  // What follows the login in the same packet is for the checker's subprogram.
  say("USER joe\r\nPASS secret\r\nSTAT\r\n");
  stop_sending();
  const std::string text = rest();
  EXPECT_TRUE(text.starts_with("+OK <")) << text;
  EXPECT_TRUE(text.contains("@mx.example>\r\n+OK \r\njoe|secret|<")) << text;
  EXPECT_TRUE(text.ends_with("@mx.example>|\nSTAT\r\nsubprogram\n")) << text;
  EXPECT_EQ(exit_code(), 0);
}

TEST_F(PopConnection, AnyFailureOfTheCheckerIsARefusal) {
  for (const char* code : {"1", "2", "111", "100"}) {
    log_in({"mx", "sh", "-c", std::string("exit ") + code});
    say("USER joe\r\nPASS secret\r\n");
    EXPECT_TRUE(rest().ends_with("\r\n+OK \r\n-ERR authorization failed\r\n"));
    EXPECT_EQ(exit_code(), 1);
  }
}

TEST_F(PopConnection, CheckerThatCrashesOrIsNotThereIsSaidSo) {
  log_in({"mx", "sh", "-c", "kill -SEGV $$"});
  say("USER joe\r\nPASS secret\r\n");
  EXPECT_TRUE(rest().ends_with("-ERR aack, child crashed\r\n"));
  EXPECT_EQ(exit_code(), 1);
  log_in({"mx", "./no-such-checker"});
  say("USER joe\r\nPASS secret\r\n");
  EXPECT_TRUE(rest().ends_with("-ERR unable to run the checker\r\n"));
  EXPECT_EQ(exit_code(), 1);
}

TEST_F(PopConnection, CredentialsTheInterfaceHasNoRoomForAreRefused) {
  log_in({"mx", "sh", "-c", "echo asked"});
  say("USER joe\r\nPASS " + std::string(600, 'x') + "\r\n");
  EXPECT_TRUE(rest().ends_with("+OK \r\n-ERR authorization failed\r\n"));
  EXPECT_EQ(exit_code(), 1);
}

TEST_F(PopConnection, LoginEndsWithQuitSilenceAndTheClient) {
  log_in({"mx", "true"});
  say("QUIT\r\n");
  EXPECT_TRUE(rest().ends_with(">\r\n+OK \r\n"));
  EXPECT_EQ(exit_code(), 0);
  log_in({"mx", "true"}, {50ms, 60s});
  EXPECT_TRUE(rest().ends_with(">\r\n"));
  EXPECT_EQ(exit_code(), 1);
  log_in({"mx", "true"});
  say("USER joe");
  stop_sending();
  EXPECT_TRUE(rest().ends_with(">\r\n"));
  EXPECT_EQ(exit_code(), 1);
}

TEST_F(PopConnection, UsageIsSaidToTheClient) {
  for (const auto& arguments : {std::vector<std::string>{}, std::vector<std::string>{"mx"}}) {
    log_in(arguments);
    EXPECT_EQ(rest(), "-ERR usage: popup hostname subprogram\r\n");
    EXPECT_EQ(exit_code(), 1);
  }
}

}  // namespace
}  // namespace postern::pop3

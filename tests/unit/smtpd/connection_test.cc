// The session on a real connection: when replies are sent, and what ends it.
#include "smtpd/connection.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <thread>

#include "posix/io.h"
#include "posix/signals.h"

namespace postern::smtpd {
namespace {

class NoChecker : public PasswordChecker {
 public:
  Verdict check(const std::string&) override { return Verdict::rejected; }
  bool accepts_anybody() override { return false; }
  void announce(std::string_view, Mechanism) override {}
};
class NoMessage : public OutgoingMessage {
 public:
  void write(std::string_view) override {}
  void sender(std::string_view) override {}
  void recipient(std::string_view) override {}
  wire::QueueReply finish() override { return {}; }
};
class NoQueue : public MessageQueue {
 public:
  Result<std::unique_ptr<OutgoingMessage>> open() override { return std::make_unique<NoMessage>(); }
};
class NoCheck : public RecipientCheck {
 public:
  Verdict check(const std::string&, const std::string&) override { return Verdict::accept; }
};
class NoPlugins : public PluginPrograms {
 public:
  Result<std::string> run(const std::string&) override { return ""; }
  void set(const std::string&, std::string_view) override {}
  void unset(const std::string&) override {}
};
class NoAddresses : public HostAddresses {
 public:
  Result<bool> are_named_by(std::string_view) override { return false; }
};

// A server thread and the client's end of its connection.
class Connected : public testing::Test {
 protected:
  void start(Settings settings, Patience patience = {.timeout = std::chrono::seconds(30)}) {
    ignore_signal(SIGPIPE);
    int ends[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
    client_.reset(ends[0]);
    server_ = Fd(ends[1]);
    thread_ = std::thread([this, patience, settings = std::move(settings)]() mutable {
      Session session(std::move(settings), {checker_, queue_, check_, plugins_, addresses_,
                                            [] { return std::int64_t{0}; }, 1});
      exit_ = serve_client(session, patience, server_.get(), server_.get());
      server_.reset();
    });
  }
  static Settings greeting() {
    Settings settings;
    settings.greeting = "mx";
    return settings;
  }
  void say(std::string_view text) { ASSERT_TRUE(write_all(client_.get(), text)); }
  // One write of the server's: a sequenced-packet socket keeps them apart.
  std::string one_write() {
    char bytes[65536];
    const auto count = read_some(client_.get(), bytes, Deadline::after(std::chrono::seconds(30)));
    return count ? std::string(bytes, *count) : "error";
  }
  int exit_code() {
    thread_.join();
    return exit_;
  }
  void TearDown() override {
    client_.reset();
    if (thread_.joinable()) thread_.join();
  }

  NoChecker checker_;
  NoQueue queue_;
  NoCheck check_;
  NoPlugins plugins_;
  NoAddresses addresses_;
  Fd client_;
  Fd server_;
  std::thread thread_;
  int exit_ = -1;
};

TEST_F(Connected, GathersTheRepliesToPipelinedCommandsIntoOneWrite) {
  start(greeting());
  EXPECT_EQ(one_write(), "220 mx ESMTP\r\n");
  say("NOOP\r\nRSET\r\nMAIL FROM:<a@b>\r\nNO");
  EXPECT_EQ(one_write(), "250 ok\r\n250 flushed\r\n250 ok\r\n");
  say("OP\r\nQUIT\r\nNOOP\r\n");
  EXPECT_EQ(one_write(), "250 ok\r\n221 mx\r\n");
  EXPECT_EQ(exit_code(), 0);
}

TEST_F(Connected, EndsWhenTheClientIsGone) {
  start(greeting());
  one_write();
  ::shutdown(client_.get(), SHUT_RDWR);
  EXPECT_EQ(exit_code(), 1);
}

TEST_F(Connected, EndsWhenTheClientIsSilent) {
  start(greeting(), {.timeout = std::chrono::seconds(1)});
  EXPECT_EQ(one_write(), "220 mx ESMTP\r\n");
  EXPECT_EQ(one_write(), "451 timeout (#4.4.2)\r\n");
  EXPECT_EQ(exit_code(), 1);
}

TEST_F(Connected, EndsInTheEndHoweverSlowlyAndSteadilyTheClientSpeaks) {
  start(greeting(), {.session = std::chrono::milliseconds(50)});
  one_write();
  std::thread dripping([this] {
    while (write_all(client_.get(), "N")) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  });
  EXPECT_EQ(one_write(), "451 timeout (#4.4.2)\r\n");
  EXPECT_EQ(exit_code(), 1);
  dripping.join();
}

TEST_F(Connected, HoldsARefusedLoginBack) {
  Settings settings = greeting();
  settings.auth = parse_auth_setup({"host", "/c", "/bin/true"}, {}, "local");
  settings.failure_pause = std::chrono::milliseconds(20);
  start(std::move(settings));
  one_write();
  const auto before = std::chrono::steady_clock::now();
  say("NOOP\r\nAUTH PLAIN AGpvZQBzZWNyZXQ=\r\n");
  EXPECT_EQ(one_write(), "250 ok\r\n");
  EXPECT_EQ(one_write(), "535 authorization failed (#5.7.0)\r\n");
  EXPECT_GE(std::chrono::steady_clock::now() - before, std::chrono::milliseconds(20));
}

TEST_F(Connected, AnswersALineWithoutEndWhenItEnds) {
  start(greeting());
  one_write();
  for (int i = 0; i < 100; ++i) say(std::string(1000, 'a'));
  say("\r\nNOOP\r\n");
  EXPECT_EQ(one_write(), "500 line too long (#5.5.2)\r\n250 ok\r\n");
}

TEST_F(Connected, EndsAfterAGreatManyCommands) {
  start(greeting(), {.command_bytes = 20});
  one_write();
  say("NOOP\r\nNOOP\r\nNOOP\r\n");
  EXPECT_EQ(one_write(), "250 ok\r\n250 ok\r\n250 ok\r\n");
  say("NOOP\r\n");
  EXPECT_EQ(one_write(), "421 too many commands (#4.7.0)\r\n");
  client_.reset();
  EXPECT_EQ(exit_code(), 1);
}

TEST_F(Connected, EndsInALineThatDoesNotEnd) {
  start(greeting(), {.command_bytes = 50'000});
  one_write();
  for (int i = 0; i < 51; ++i) say(std::string(1000, 'a'));
  EXPECT_EQ(one_write(), "421 too many commands (#4.7.0)\r\n");
  client_.reset();
  EXPECT_EQ(exit_code(), 1);
}

TEST_F(Connected, ReadsOnAfterABareLineFeedUntilTheClientHasHeard) {
  Settings settings = greeting();
  settings.relay_client = "";
  start(std::move(settings));
  one_write();
  say("MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n");
  EXPECT_EQ(one_write(), "250 ok\r\n250 ok\r\n354 go ahead\r\n");
  say("bare\n");
  for (int i = 0; i < 100; ++i) say(std::string(10'000, 'x'));
  EXPECT_EQ(one_write(), "451 See https://cr.yp.to/docs/smtplf.html.\r\n");
  EXPECT_EQ(one_write(), "");
  client_.reset();
  EXPECT_EQ(exit_code(), 1);
}

TEST_F(Connected, ReadsOnAfterItsLastWordToACommand) {
  Settings settings = greeting();
  settings.auth = parse_auth_setup({"host", "/c", "/bin/true"}, {}, "local");
  settings.failure_pause = std::chrono::milliseconds(0);
  start(std::move(settings));
  one_write();
  std::string refusals;
  for (int i = 1; i < Session::most_failed_logins; ++i) {
    refusals += "535 authorization failed (#5.7.0)\r\n";
  }
  std::string attempts;
  for (int i = 0; i < Session::most_failed_logins; ++i) attempts += "AUTH PLAIN AGEAYg==\r\n";
  say(attempts);
  for (int i = 0; i < 100; ++i) say("NOOP\r\n");
  EXPECT_EQ(one_write(), refusals + "421 too many failed logins (#4.7.0)\r\n");
  EXPECT_EQ(one_write(), "");
  client_.reset();
  EXPECT_EQ(exit_code(), 1);
}

TEST_F(Connected, TakesTheLongestLineAndNotOneByteMore) {
  start(greeting());
  one_write();
  const std::string longest = "NOOP " + std::string(Session::most_line_bytes - 5, 'a');
  say(longest + "\r\n");
  EXPECT_EQ(one_write(), "250 ok\r\n");
  say(longest + "a\r\n");
  EXPECT_EQ(one_write(), "500 line too long (#5.5.2)\r\n");
}

}  // namespace
}  // namespace postern::smtpd

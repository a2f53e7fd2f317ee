#include "inject/inject.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <thread>

#include "posix/environment.h"
#include "posix/files.h"
#include "posix/io.h"
#include "posix/pipe.h"
#include "posix/signals.h"

namespace postern::inject {
namespace {

using namespace std::string_literals;

constexpr Stamp stamp{1028301386, 4711};

// A qmail home whose qmail-queue keeps what it is given.
class Inject : public testing::Test {
 protected:
  void SetUp() override {
    home_ = (std::filesystem::temp_directory_path() / "inject-XXXXXX").string();
    ASSERT_NE(::mkdtemp(home_.data()), nullptr);
    ignore_signal(SIGPIPE);
    use_queue("cat > " + home_ + "/message; cat <&1 > " + home_ + "/envelope");
    settings_.user = settings_.sender_user = "joe";
    settings_.host = settings_.sender_host = settings_.id_host = "example.org";
    settings_.defaults = {"example.org", "example.org", "example.org"};
  }
  void TearDown() override {
    unset_environment_variable("QMAILQUEUE");
    std::filesystem::remove_all(home_);
  }
  void use_queue(const std::string& script) {
    const std::string path = home_ + "/queue";
    std::ofstream(path) << "#!/bin/sh\n" << script << "\n";
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
    set_environment_variable("QMAILQUEUE", path);
  }
  Outcome inject(const std::string& message, int out = 1) {
    auto pipe = make_pipe();
    std::thread writer([&] {
      (void)write_all(pipe->write.get(), message);
      pipe->write.reset();
    });
    const auto outcome = inject_message(pipe->read.get(), out, settings_, stamp, home_);
    pipe->read.reset();
    writer.join();
    return outcome;
  }
  std::string contents(const std::string& file) {
    return read_file(home_ + "/" + file, 1 << 30).value_or("");
  }

  std::string home_;
  Settings settings_;
};

TEST_F(Inject, QueuesTheMessageWithItsEnvelope) {
  const auto outcome = inject("to: bob\nbcc: carol@x.y\n\n.\nhello\n.\n");
  EXPECT_EQ(outcome.exit_code, 0) << outcome.problem;
  EXPECT_EQ(contents("message"),
            "Date: 2 Aug 2002 15:16:26 -0000\n"
            "Message-ID: <20020802151626.4711.qmail@example.org>\n"
            "From: joe@example.org\n"
            "to: bob@example.org\n"
            "\n.\nhello\n.\n");
  EXPECT_EQ(contents("envelope"), "Fjoe@example.org\0Tbob@example.org\0Tcarol@x.y\0\0"s);
}

TEST_F(Inject, PrintsTheMessageInstead) {
  settings_.arguments.print = true;
  auto pipe = make_pipe();
  EXPECT_EQ(inject("Date: x\nMessage-ID: x\nFrom: a\nTo: b\n\nhello", pipe->write.get()).exit_code,
            0);
  pipe->write.reset();
  EXPECT_EQ(read_to_end(pipe->read.get(), 1000).value_or(""),
            "Date: x\nMessage-ID: x\nFrom: a@example.org\nTo: b@example.org\n\nhello\n");
  EXPECT_FALSE(std::filesystem::exists(home_ + "/message"));
}

TEST_F(Inject, SaysWhenItCannotPrint) {
  settings_.arguments.print = true;
  EXPECT_EQ(inject("To: b\n", -1).exit_code, 111);
}

TEST_F(Inject, PassesOnWhatTheQueueSays) {
  struct Case {
    std::string script;
    int exit_code;
    std::string problem;
  };
  for (const auto& [script, exit_code, problem] : {
           Case{"exit 31", 100, "mail server permanently rejected message (#5.3.0)"},
           Case{"exit 53", 111, "qq write error or disk full (#4.3.0)"},
           Case{"cat >/dev/null; echo Dno thanks >&6; exit 82", 100, "no thanks"},
           Case{"kill -9 $$", 111, "qq crashed (#4.3.0)"},
       }) {
    use_queue(script);
    const auto outcome = inject("to: bob\n\nhello\n");
    EXPECT_EQ(outcome.exit_code, exit_code) << script;
    EXPECT_EQ(outcome.problem, problem) << script;
  }
}

TEST_F(Inject, SaysWhenThereIsNoQueue) {
  set_environment_variable("QMAILQUEUE", home_ + "/none");
  const auto outcome = inject("to: bob\n\nhello\n");
  EXPECT_EQ(outcome.exit_code, 111);
  EXPECT_EQ(outcome.problem, "unable to exec qq (#4.3.0)");
}

TEST_F(Inject, QueuesNothingWithoutRecipients) {
  const auto outcome = inject("Subject: x\n\nhello\n");
  EXPECT_EQ(outcome.exit_code, 100);
  EXPECT_TRUE(outcome.problem.starts_with("no recipients"));
  EXPECT_FALSE(std::filesystem::exists(home_ + "/message"));
}

TEST_F(Inject, QueuesNothingThatItCannotParse) {
  const auto outcome = inject("To: bob\nCc: (\n\nhello\n");
  EXPECT_EQ(outcome.exit_code, 100);
  EXPECT_EQ(outcome.problem, "unable to parse this line:\nCc: (");
  EXPECT_FALSE(std::filesystem::exists(home_ + "/message"));
}

TEST_F(Inject, IsTemporaryTroubleWhenTheMessageCannotBeRead) {
  EXPECT_EQ(inject_message(-1, 1, settings_, stamp, home_).exit_code, 111);
}

TEST_F(Inject, StreamsABodyOfManyMegabytes) {
  use_queue("wc -c > " + home_ + "/size; cat <&1 >/dev/null");
  const std::string body(40 << 20, 'x');
  EXPECT_EQ(inject("Date: x\nMessage-ID: x\nFrom: a\nTo: b\n\n" + body).exit_code, 0);
  const auto size = std::stoull(contents("size"));
  EXPECT_EQ(
      size,
      body.size() + "Date: x\nMessage-ID: x\nFrom: a@example.org\nTo: b@example.org\n\n\n"s.size());
}

}  // namespace
}  // namespace postern::inject

#include "inject/dot_qmail_tools.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <ctime>
#include <fstream>

#include "posix/environment.h"
#include "posix/files.h"
#include "support/temporary_directory.h"

namespace postern::inject {
namespace {

using namespace std::string_literals;

// Descriptor 0 is the message, descriptor 1 a file, and qmail-queue keeps what it is given.
class Tools : public testing::Test {
 protected:
  void SetUp() override {
    const std::string home = directory_.path();
    std::ofstream(home + "/queue")
        << "#!/bin/sh\ncat > " << home << "/message; cat <&1 > " << home << "/envelope\n";
    ::chmod((home + "/queue").c_str(), 0700);
    std::ofstream(home + "/message-in") << "Subject: x\n"
                                           "Notice-Requested-Upon-Delivery-To: Joe@x.y\n\nhello\n";
    ::mkdir((home + "/bin").c_str(), 0700);
    for (const auto* name : {"sendmail", "qmail-inject"}) {
      std::ofstream(home + "/bin/" + name) << "#!/bin/sh\ncat > " << home << "/message\n";
      ::chmod((home + "/bin/" + name).c_str(), 0700);
    }
    for (const auto& [name, value] : variables()) set_environment_variable(name, value);
  }
  void TearDown() override {
    for (const auto& [name, value] : variables()) unset_environment_variable(name);
    ::dup2(input_.get(), 0);
    ::dup2(output_.get(), 1);
  }
  [[nodiscard]] std::vector<std::pair<const char*, std::string>> variables() const {
    return {{"QMAILHOME", directory_.path()},
            {"QMAILQUEUE", directory_.path() + "/queue"},
            {"SENDER", "ann@example.org"},
            {"NEWSENDER", "owner@example.org"},
            {"DTLINE", "Delivered-To: joe@x.y\n"},
            {"RPLINE", "Return-Path: <ann@example.org>\n"},
            {"UFLINE", "From ann@example.org Fri Aug 02 15:16:26 2002\n"},
            {"TZ", "XYZ-5:30"}};
  }
  int run(Outcome (*tool)(Words), const std::vector<const char*>& words) {
    const Fd message(::open("message-in", O_RDONLY));
    const Fd out(::open("out", O_CREAT | O_TRUNC | O_WRONLY, 0600));
    ::dup2(message.get(), 0);
    ::dup2(out.get(), 1);
    return tool(words).exit_code;
  }
  static std::string contents(const std::string& file) {
    return read_file(file, 1 << 20).value_or("");
  }

  test::TemporaryDirectory directory_;
  Fd input_{::dup(0)};
  Fd output_{::dup(1)};
};

TEST_F(Tools, ForwardSendsOnWithTheDeliveredToLine) {
  EXPECT_EQ(run(run_forward, {"a@b", "c@d"}), 0);
  EXPECT_TRUE(contents("message").starts_with("Delivered-To: joe@x.y\nSubject: x\n"));
  EXPECT_EQ(contents("envelope"), "Fowner@example.org\0Ta@b\0Tc@d\0\0"s);
}

TEST_F(Tools, ForwardNeedsAddressesAndQmailLocal) {
  EXPECT_EQ(run(run_forward, {}), 100);
  unset_environment_variable("NEWSENDER");
  EXPECT_EQ(run(run_forward, {"a@b"}), 100);
  set_environment_variable("NEWSENDER", "");
  unset_environment_variable("DTLINE");
  EXPECT_EQ(run(run_forward, {"a@b"}), 100);
}

TEST_F(Tools, ForwardFailsAsTheQueueDoes) {
  for (const auto& [script, code] : {std::pair{"exit 31", 100}, {"exit 53", 111}}) {
    std::ofstream("queue") << "#!/bin/sh\n" << script << "\n";
    EXPECT_EQ(run(run_forward, {"a@b"}), code);
  }
}

TEST_F(Tools, AskTheProgramWithTheWholeMessage) {
  EXPECT_EQ(run(run_condredirect, {"a@b", "grep", "-q", "hello"}), 99);
  EXPECT_TRUE(contents("message").ends_with("\n\nhello\n"));
  EXPECT_EQ(run(run_condredirect, {"a@b", "grep", "-q", "nothing"}), 0);
  EXPECT_EQ(run(run_condredirect, {"a@b", "sh", "-c", "exit 111"}), 111);
  EXPECT_EQ(run(run_condredirect, {"a@b", "sh", "-c", "kill -9 $$"}), 111);
  EXPECT_EQ(run(run_condredirect, {"a@b"}), 100);
}

TEST_F(Tools, BounceWithATextForTheSender) {
  EXPECT_EQ(run(run_bouncesaying, {"Go away."}), 100);
  EXPECT_EQ(contents("out"), "Go away.\n");
  EXPECT_EQ(run(run_bouncesaying, {"Go away.", "true"}), 100);
  EXPECT_EQ(run(run_bouncesaying, {"Go away.", "false"}), 0);
  EXPECT_EQ(run(run_bouncesaying, {"Go away.", "sh", "-c", "exit 111"}), 111);
  EXPECT_EQ(run(run_bouncesaying, {"Go away.", "/no/such"}), 111);
  EXPECT_EQ(run(run_bouncesaying, {}), 100);
}

TEST_F(Tools, TurnAnAnswerRound) {
  EXPECT_EQ(run(run_except, {"true"}), 100);
  EXPECT_EQ(run(run_except, {"false"}), 0);
  EXPECT_EQ(run(run_except, {"sh", "-c", "exit 111"}), 111);
  EXPECT_EQ(run(run_except, {}), 100);
}

TEST_F(Tools, PutTheLinesOfAMailboxBeforeTheMessage) {
  EXPECT_EQ(run(run_preline, {"sh", "-c", "cat > all; exit 3"}), 3);
  EXPECT_TRUE(
      contents("all").starts_with("From ann@example.org Fri Aug 02 15:16:26 2002\n"
                                  "Return-Path: <ann@example.org>\n"
                                  "Delivered-To: joe@x.y\nSubject: x\n"));
  EXPECT_EQ(run(run_preline, {"-f", "-rd", "--", "sh", "-c", "cat > all"}), 0);
  EXPECT_TRUE(contents("all").starts_with("Subject: x\n"));
  EXPECT_EQ(run(run_preline, {"-z", "cat"}), 100);
  EXPECT_EQ(run(run_preline, {"-f"}), 100);
  EXPECT_EQ(run(run_preline, {"sh", "-c", "kill -9 $$"}), 111);
  unset_environment_variable("RPLINE");
  EXPECT_EQ(run(run_preline, {"cat"}), 100);
}

TEST_F(Tools, TellTheSenderWhoAsked) {
  EXPECT_EQ(run(run_qreceipt, {"joe@x.y"}), 0);
  EXPECT_TRUE(contents("message").contains("\nTo: <ann@example.org>\nSubject: success notice\n"));
  EXPECT_EQ(contents("envelope"), "F\0Tann@example.org\0\0"s);
}

TEST_F(Tools, TellNobodyElse) {
  EXPECT_EQ(run(run_qreceipt, {"bob@x.y"}), 0);
  set_environment_variable("SENDER", "");
  EXPECT_EQ(run(run_qreceipt, {"joe@x.y"}), 0);
  EXPECT_EQ(contents("envelope"), "");
  EXPECT_EQ(run(run_qreceipt, {}), 100);
  unset_environment_variable("SENDER");
  EXPECT_EQ(run(run_qreceipt, {"joe@x.y"}), 100);
}

TEST_F(Tools, DateWithTheLocalClock) {
  ::tzset();
  EXPECT_EQ(local_date_field(1028301386), "Date: 2 Aug 2002 20:46:26 +0530\n");
  set_environment_variable("TZ", "XYZ8");
  ::tzset();
  EXPECT_EQ(local_date_field(1028301386), "Date: 2 Aug 2002 07:16:26 -0800\n");
  EXPECT_EQ(run(run_predate, {"sh", "-c", "cat > all; exit 4"}), 4);
  EXPECT_TRUE(contents("all").starts_with("Date: "));
  EXPECT_EQ(run(run_datemail, {"joe@x.y"}), 0);
  EXPECT_TRUE(contents("message").contains(" -0800\nSubject: x\n"));
  EXPECT_EQ(run(run_predate, {}), 100);
}

TEST_F(Tools, SendTheirInputWithASubject) {
  EXPECT_EQ(run(run_mailsubj, {"a\nb", "c@d", "e@f"}), 0);
  EXPECT_TRUE(contents("message").starts_with("Subject: a b\nTo: c@d, e@f\n\nSubject: x\n"));
  EXPECT_EQ(run(run_mailsubj, {"a"}), 100);
}

}  // namespace
}  // namespace postern::inject

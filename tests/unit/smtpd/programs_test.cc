// The programs qmail-smtpd runs, played by shell scripts.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "posix/environment.h"
#include "posix/files.h"
#include "smtpd/checker_program.h"
#include "smtpd/own_addresses.h"
#include "smtpd/recipient_program.h"
#include "smtpd/run_program.h"
#include "support/temporary_directory.h"
#include "wire/message_queue.h"

namespace postern::smtpd {
namespace {

using namespace std::string_literals;

class Programs : public testing::Test {
 protected:
  static std::string script(const std::string& name, const std::string& body) {
    std::ofstream(name) << "#!/bin/sh\n" << body << "\n";
    ::chmod(name.c_str(), 0755);
    return "./" + name;
  }
  static std::string text(const std::string& name) { return read_file(name, 65536).value_or(""); }
  test::TemporaryDirectory directory_;
};

class Checkers : public Programs {
 protected:
  static CheckerProgram checker(const std::string& body, const std::string& mode = "") {
    return CheckerProgram(
        parse_auth_setup({script("checker", body), "sub", "argument"}, mode, "local"));
  }
  using Verdict = PasswordChecker::Verdict;
};

TEST_F(Checkers, GetTheBytesOnDescriptor3AndTheirArguments) {
  auto program = checker("cat <&3 >bytes; echo \"$@\" >arguments; exit 0");
  EXPECT_EQ(program.check("joe\0secret\0\0"s), Verdict::accepted);
  EXPECT_EQ(text("bytes"), "joe\0secret\0\0"s);
  EXPECT_EQ(text("arguments"), "sub argument\n");
}

TEST_F(Checkers, HaveNoHandOnTheClientsConnection) {
  auto program = checker("cat >input; readlink /proc/self/fd/1 >output; exit 1");
  EXPECT_EQ(program.check("joe\0secret\0"s), Verdict::rejected);
  EXPECT_EQ(text("input"), "");
}

TEST_F(Checkers, RejectByAnyExitCodeButNought) {
  for (const int code : {1, 2, 3, 111, 255}) {
    auto program = checker("exit " + std::to_string(code));
    EXPECT_EQ(program.check("joe\0secret\0"s), Verdict::rejected) << code;
  }
}

TEST_F(Checkers, ThatReadNothingAreNotMistakenForBrokenPipes) {
  auto program = checker("exec 3<&-; exit 1");
  for (int i = 0; i < 20; ++i) EXPECT_EQ(program.check("joe\0secret\0"s), Verdict::rejected);
}

TEST_F(Checkers, ThatCrashOrAreMissingHaveNotRejected) {
  EXPECT_EQ(checker("kill -SEGV $$").check("joe\0secret\0"s), Verdict::failed);
  CheckerProgram missing(parse_auth_setup({"./missing", "sub"}, "", "local"));
  EXPECT_EQ(missing.check("joe\0secret\0"s), Verdict::unstarted);
  EXPECT_FALSE(missing.accepts_anybody());
}

TEST_F(Checkers, AreNotBotheredWithMoreThanTheyCanRead) {
  auto program = checker("touch asked; exit 0");
  EXPECT_EQ(program.check(std::string(513, 'a')), Verdict::rejected);
  EXPECT_FALSE(stat_file("asked"));
  EXPECT_EQ(program.check(std::string(512, 'a')), Verdict::accepted);
}

TEST_F(Checkers, ThatAcceptAnybodyAreFoundOut) {
  EXPECT_TRUE(checker("exit 0").accepts_anybody());
  EXPECT_FALSE(checker("exit 1").accepts_anybody());
  EXPECT_FALSE(checker("kill -SEGV $$").accepts_anybody());
}

TEST_F(Checkers, AreTriedWithNewCredentialsAndWithoutTheClientsAddress) {
  set_environment_variable("TCPREMOTEIP", "192.0.2.1");
  const auto body = "test -z \"$TCPREMOTEIP\" && tr '\\0' , <&3 >>tried; exit 1";
  for (const auto* mode : {"", "cram"}) {
    auto program = checker(std::string(body) + "\n", mode);
    EXPECT_FALSE(program.accepts_anybody());
    const std::string first = text("tried");
    ::unlink("tried");
    EXPECT_FALSE(program.accepts_anybody());
    EXPECT_NE(text("tried"), first);
    EXPECT_TRUE(first.starts_with("nobody-")) << first;
    EXPECT_EQ(first.contains("@local>"), *mode == 'c') << first;
    ::unlink("tried");
  }
}

TEST_F(Checkers, AnnounceTheLoginInTheEnvironment) {
  auto program = checker("exit 0");
  program.announce("joe@example.org", Mechanism::cram_md5);
  EXPECT_EQ(environment_variable("RELAYCLIENT"), "");
  EXPECT_EQ(environment_variable("TCPREMOTEINFO"), "joe@example.org");
  EXPECT_EQ(environment_variable("SMTPAUTHUSER"), "joe@example.org");
  EXPECT_EQ(environment_variable("SMTP_AUTH_USER"), "joe@example.org");
  EXPECT_EQ(environment_variable("SMTPAUTHMETHOD"), "CRAM-MD5");
}

using RecipientChecks = Programs;

TEST_F(RecipientChecks, AnswerByExitCode) {
  using Verdict = RecipientCheck::Verdict;
  const auto verdict = [&](const std::string& body) {
    return RecipientProgram(script("check", body)).check("a@x", "b@y");
  };
  EXPECT_EQ(verdict("exit 0"), Verdict::accept);
  EXPECT_EQ(verdict("exit 1"), Verdict::accept);
  EXPECT_EQ(verdict("exit 100"), Verdict::no_mailbox);
  EXPECT_EQ(verdict("exit 111"), Verdict::try_later);
  EXPECT_EQ(verdict("exit 120"), Verdict::broken);
  EXPECT_EQ(verdict("kill -9 $$"), Verdict::broken);
  EXPECT_EQ(RecipientProgram("./missing").check("a@x", "b@y"), Verdict::broken);
  EXPECT_EQ(verdict("echo \"$SENDER $RECIPIENT $#\" >asked"), Verdict::accept);
  EXPECT_EQ(text("asked"), "a@x b@y 0\n");
}

using SlowPrograms = Programs;

TEST_F(SlowPrograms, AreKilled) {
  const auto status =
      run_program({.argv = {script("slow", "exec sleep 1000")}}, std::chrono::milliseconds(50));
  ASSERT_TRUE(status);
  EXPECT_TRUE(status->crashed());
}

using Queue = Programs;

TEST_F(Queue, IsWhatQmailqueueNames) {
  set_environment_variable("QMAILHOME", directory_.path());
  set_environment_variable(
      "QMAILQUEUE", directory_.path() + "/" + script("queue", "cat >message; cat <&1 >envelope"));
  auto message = wire::QueueProgram().open();
  ASSERT_TRUE(message);
  (*message)->write("Subject: x\n\n");
  (*message)->sender("a@x");
  (*message)->recipient("b@y");
  const auto reply = (*message)->finish();
  EXPECT_TRUE(reply.accepted()) << reply.problem;
  EXPECT_GT(reply.qp, 0);
  EXPECT_EQ(text("message"), "Subject: x\n\n");
  EXPECT_EQ(text("envelope"), "Fa@x\0Tb@y\0\0"s);
}

TEST(OwnAddresses, KnowTheLoopback) {
  OwnAddresses addresses;
  EXPECT_EQ(addresses.are_named_by("[127.0.0.1]").value(), true);
  EXPECT_EQ(addresses.are_named_by("[192.0.2.200]").value(), false);
  EXPECT_EQ(addresses.are_named_by("[rubbish").value(), false);
  EXPECT_EQ(addresses.are_named_by("").value(), false);
}

}  // namespace
}  // namespace postern::smtpd

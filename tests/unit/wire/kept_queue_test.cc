// Callers that have more than one message, with a script in the place of qmail-queue that stays.
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <csignal>
#include <fstream>

#include "posix/environment.h"
#include "posix/files.h"
#include "support/temporary_directory.h"
#include "wire/queue_client.h"

namespace postern::wire {
namespace {

using ::testing::StartsWith;

// Appends "PID ARGUMENTS: MESSAGE" to the file seen, and stays if it can. Of "leave" it ends with
// exit 0 and has said nothing, of "refuse" with 31; of "crash" it is killed.
constexpr std::string_view staying_qmail_queue = R"(#!/usr/bin/python3
import os, signal, socket, sys
caller = socket.socket(fileno=3) if sys.argv[1:] == ["--stay"] else None
message, envelope = 0, 1
while True:
    text = os.fdopen(message).read()
    addresses = os.fdopen(envelope).read()
    with open("seen", "a") as seen:
        seen.write("%s: %s %r\n" % (" ".join(sys.argv), text, addresses))
    if text == "refuse": sys.exit(31)
    if text == "crash": os.kill(os.getpid(), signal.SIGKILL)
    if text == "leave" or not caller: os._exit(0)
    caller.send(b"\0")
    order, descriptors, _, _ = socket.recv_fds(caller, 100, 2)
    if not order: os._exit(0)
    message, envelope = descriptors
)";

class KeptQueues : public testing::Test {
 public:
  ~KeptQueues() override { unset_environment_variable("QMAILHOME"); }

 protected:
  KeptQueues() {
    std::filesystem::create_directory("bin");
    put("bin/qmail-queue", staying_qmail_queue);
    set_environment_variable("QMAILHOME", directory_.path());
    unset_environment_variable("QMAILQUEUE");
  }

  static void put(const char* path, std::string_view script) {
    std::ofstream(path) << script;
    ::chmod(path, 0755);
  }
  QueueReply send(std::string_view text) {
    auto client = QueueClient::open(kept_).value();
    client.write(text);
    client.sender("a@x");
    client.recipient("b@y");
    return client.finish();
  }
  static std::string seen() { return read_file("seen", 10000).value(); }

  test::TemporaryDirectory directory_;
  KeptQueue kept_;
};

TEST_F(KeptQueues, AreOfferedToStayFromTheSecondMessageOn) {
  const QueueReply replies[] = {send("one"), send("two"), send("three"), send("four")};
  for (const auto& reply : replies) EXPECT_EQ(reply.problem, "");
  EXPECT_NE(replies[0].qp, replies[1].qp);
  EXPECT_EQ(replies[1].qp, replies[2].qp);
  EXPECT_EQ(replies[1].qp, replies[3].qp);
  EXPECT_EQ(seen(),
            "bin/qmail-queue: one 'Fa@x\\x00Tb@y\\x00\\x00'\n"
            "bin/qmail-queue --stay: two 'Fa@x\\x00Tb@y\\x00\\x00'\n"
            "bin/qmail-queue --stay: three 'Fa@x\\x00Tb@y\\x00\\x00'\n"
            "bin/qmail-queue --stay: four 'Fa@x\\x00Tb@y\\x00\\x00'\n");
}

TEST_F(KeptQueues, MayRefuseAMessageAndTheNextIsForAnother) {
  (void)send("one");
  const QueueReply second = send("two");
  EXPECT_THAT(send("refuse").problem, StartsWith("Dmail server permanently rejected message"));
  const QueueReply next = send("four");
  EXPECT_TRUE(next.accepted());
  EXPECT_NE(next.qp, second.qp);
}

// Its exit code is that of a program which may not even have seen the message.
TEST_F(KeptQueues, HaveQueuedAMessageOnlyWhenTheySaySo) {
  (void)send("one");
  (void)send("two");
  EXPECT_EQ(send("leave").problem, "Zqq crashed (#4.3.0)");
  EXPECT_TRUE(send("four").accepted());
}

TEST_F(KeptQueues, MayCrash) {
  (void)send("one");
  (void)send("two");
  EXPECT_EQ(send("crash").problem, "Zqq crashed (#4.3.0)");
  EXPECT_TRUE(send("four").accepted());
}

TEST_F(KeptQueues, AreNotMissedWhenTheyAreGone) {
  (void)send("one");
  const pid_t gone = send("two").qp;
  ASSERT_EQ(::kill(gone, SIGKILL), 0);
  std::string state;
  while (!state.contains(" Z ")) {  // dead, and not waited for: then its socket is closed
    state = read_file("/proc/" + std::to_string(gone) + "/stat", 1000).value();
  }
  const QueueReply third = send("three");
  EXPECT_TRUE(third.accepted());
  EXPECT_NE(third.qp, gone);
}

TEST_F(KeptQueues, DoNotKeepWhatIsNotWanted) {
  (void)send("one");
  const QueueReply second = send("two");
  {
    auto client = QueueClient::open(kept_).value();
    client.write("three");
    client.sender("a@x");
  }
  EXPECT_NE(send("four").qp, second.qp);
}

TEST_F(KeptQueues, AreNoneOfWhatStandsInForQmailQueue) {
  put("other", "#!/bin/sh\necho \"$0 $*.\" >>seen; cat >/dev/null; cat <&1 >/dev/null\n");
  set_environment_variable("QMAILQUEUE", directory_.path() + "/other");
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(send("x").accepted());
  const std::string line = directory_.path() + "/other .\n";
  EXPECT_EQ(seen(), line + line + line);
  unset_environment_variable("QMAILQUEUE");
}

// As qmail's own qmail-queue would: the argument means nothing to it.
TEST_F(KeptQueues, NeedNotKnowHowToStay) {
  put("bin/qmail-queue", "#!/bin/sh\necho $$ >>seen; cat >/dev/null; cat <&1 >/dev/null\n");
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(send("x").accepted());
}

}  // namespace
}  // namespace postern::wire

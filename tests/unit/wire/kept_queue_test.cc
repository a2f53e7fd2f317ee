// Callers that have more than one message, with a script in the place of qmail-queue that stays.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <thread>
#include <vector>

#include "posix/environment.h"
#include "posix/files.h"
#include "posix/io.h"
#include "posix/packets.h"
#include "posix/pipe.h"
#include "posix/signals.h"
#include "support/serving_queue.h"
#include "support/temporary_directory.h"
#include "wire/queue_client.h"
#include "wire/queue_orders.h"

namespace postern::wire {
namespace {

using ::testing::StartsWith;

class KeptQueues : public testing::Test {
 public:
  ~KeptQueues() override { unset_environment_variable("QMAILHOME"); }

 protected:
  KeptQueues() {
    ignore_signal(SIGPIPE);
    std::filesystem::create_directory("bin");
    put("bin/qmail-queue", test::serving_queue);
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
  static std::string seen() { return read_file("seen", 10'000'000).value(); }

  test::TemporaryDirectory directory_;
  KeptQueue kept_;
};

TEST_F(KeptQueues, ServeFromTheSecondMessageOn) {
  const QueueReply replies[] = {send("one"), send("two"), send("three"), send("four")};
  for (const auto& reply : replies) EXPECT_EQ(reply.problem, "");
  EXPECT_NE(replies[0].qp, replies[1].qp);
  EXPECT_EQ(replies[1].qp, replies[2].qp);
  EXPECT_EQ(replies[1].qp, replies[3].qp);
  EXPECT_EQ(seen(),
            "bin/qmail-queue: one 'Fa@x\\x00Tb@y\\x00\\x00'\n"
            "bin/qmail-queue --serve: two 'Fa@x\\x00Tb@y\\x00\\x00'\n"
            "bin/qmail-queue --serve: three 'Fa@x\\x00Tb@y\\x00\\x00'\n"
            "bin/qmail-queue --serve: four 'Fa@x\\x00Tb@y\\x00\\x00'\n");
}

TEST_F(KeptQueues, MayRefuseAMessageAndTakeTheNext) {
  (void)send("one");
  const QueueReply second = send("two");
  EXPECT_THAT(send("refuse").problem, StartsWith("Dmail server permanently rejected message"));
  const QueueReply next = send("four");
  EXPECT_TRUE(next.accepted());
  EXPECT_EQ(next.qp, second.qp);
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

TEST_F(KeptQueues, ThrowAwayWhatIsNotWanted) {
  (void)send("one");
  const QueueReply second = send("two");
  {
    auto client = QueueClient::open(kept_).value();
    client.write("three");
    client.sender("a@x");
  }
  auto client = QueueClient::open(kept_).value();
  client.write("four");
  client.sender("a@x");
  client.fail();
  EXPECT_THAT(client.finish().problem, StartsWith("Zqq read error"));
  EXPECT_EQ(send("five").qp, second.qp);
}

TEST_F(KeptQueues, AreNoneOfWhatStandsInForQmailQueue) {
  put("other", "#!/bin/sh\necho \"$0 $*.\" >>seen; cat >/dev/null; cat <&1 >/dev/null\n");
  set_environment_variable("QMAILQUEUE", directory_.path() + "/other");
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(send("x").accepted());
  const std::string line = directory_.path() + "/other .\n";
  EXPECT_EQ(seen(), line + line + line);
  unset_environment_variable("QMAILQUEUE");
}

// As qmail's own qmail-queue would: the argument means nothing to it. It is started to no end once,
// not for each message.
TEST_F(KeptQueues, NeedNotKnowOfOrders) {
  put("bin/qmail-queue",
      "#!/bin/sh\nexec 5<&1\ntext=$(cat)$(tr '\\0' , <&5)\necho \"$text\" >>seen\n"
      "[ \"$text\" ] || exit 54\n");
  for (const char* text : {"one ", "two ", "three "}) EXPECT_TRUE(send(text).accepted());
  EXPECT_EQ(seen(), "one Fa@x,Tb@y,,\n\ntwo Fa@x,Tb@y,,\nthree Fa@x,Tb@y,,\n");
}

// What such a program leaves behind has the socket still.
TEST_F(KeptQueues, DoNotWaitForWhatAProgramLeavesBehind) {
  ASSERT_EQ(::mkfifo("until-the-end", 0600), 0);
  put("bin/qmail-queue",
      "#!/bin/sh\ncat until-the-end >/dev/null 2>&1 4>&- 6>&- &\n"
      "cat >/dev/null; exec 5<&1; [ \"$(cat <&5 | tr '\\0' ,)\" ] || exit 54\n");
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(send("x").accepted());
  const Fd end(::open("until-the-end", O_WRONLY | O_NONBLOCK));
}

// Its answer may have been lost on the way.
TEST_F(KeptQueues, ThatMayHaveTakenAnOrderFindNoMessage) {
  auto sockets = make_packet_pair().value();
  kept_.orders = std::move(sockets.ours);
  std::string found = "something";
  std::thread server([&] {
    auto order = receive_packet(sockets.theirs.get(), 100).value().value();
    EXPECT_TRUE(write_all(order.descriptors[2].get(), "47"));
    order.descriptors[2].reset();
    found = read_to_end(order.descriptors[0].get(), 100).value();
    found += read_to_end(order.descriptors[1].get(), 100).value();
  });
  EXPECT_TRUE(send("one").accepted());
  server.join();
  EXPECT_EQ(found, "");
  EXPECT_EQ(seen(), "bin/qmail-queue: one 'Fa@x\\x00Tb@y\\x00\\x00'\n");
}

TEST_F(KeptQueues, GetMessagesOfAnySizeWhole) {
  (void)send("one");
  const pid_t kept = send("two").qp;
  std::string expected = seen();
  for (const std::size_t size :
       {0U, 1U, 4096U, 65'525U, 65'526U, 65'535U, 65'536U, 65'537U, 200'000U}) {
    const std::string text(size, static_cast<char>('a' + size % 26));
    EXPECT_EQ(send(text).qp, kept);
    expected += "bin/qmail-queue --serve: " + text + " 'Fa@x\\x00Tb@y\\x00\\x00'\n";
  }
  EXPECT_EQ(seen(), expected);
}

// All recipients go beside the text while there is room, and in pieces where there is none.
TEST_F(KeptQueues, GetAnyNumberOfRecipients) {
  (void)send("one");
  const pid_t kept = send("two").qp;
  std::string expected = seen();
  for (const int count : {1, 1000, 9000, 30'000}) {
    auto client = QueueClient::open(kept_).value();
    client.write("three");
    client.sender("a@x");
    expected += "bin/qmail-queue --serve: three 'Fa@x\\x00";
    for (int i = 0; i < count; ++i) {
      const std::string recipient = "b" + std::to_string(i) + "@y";
      client.recipient(recipient);
      expected += "T" + recipient + "\\x00";
    }
    expected += "\\x00'\n";
    EXPECT_EQ(client.finish().qp, kept);
  }
  EXPECT_EQ(seen(), expected);
}

// The kernel gives a user who has many pipes smaller ones, which a message does not fit into.
TEST_F(KeptQueues, NeedNotHaveLargePipes) {
  std::filesystem::permissions(".", std::filesystem::perms::all);
  const auto succeeds_with_small_pipes = [this] {
    const rlimit files{10'000, 10'000};
    if (::setrlimit(RLIMIT_NOFILE, &files) != 0 || ::setresuid(65'534, 65'534, 65'534) != 0) {
      return false;
    }
    constexpr std::size_t more_than_are_large = 2000;
    std::vector<Pipe> pipes;
    while (pipes.size() < more_than_are_large) pipes.push_back(make_pipe().value());
    const std::string text(60'000, 'x');
    (void)send("one");
    const pid_t kept = send("two").qp;
    if (send(text).qp != kept) return false;
    auto sockets = make_packet_pair().value();
    kept_.orders = std::move(sockets.ours);
    std::thread broker([&] { (void)receive_packet(sockets.theirs.get(), 100); });  // drops it
    const QueueReply reply = send(text);
    broker.join();
    return reply.accepted() && reply.qp != kept;
  };
  EXPECT_EXIT(::_exit(succeeds_with_small_pipes() ? 0 : 1), testing::ExitedWithCode(0), "");
}

// One that fails before it has begun says both things at once.
TEST_F(KeptQueues, MayFailAtOnce) {
  auto sockets = make_packet_pair().value();
  kept_.orders = std::move(sockets.ours);
  std::thread server([&] {
    const auto order = receive_packet(sockets.theirs.get(), 100).value().value();
    EXPECT_TRUE(write_all(order.descriptors[2].get(), "4711\n\x3e"));  // 62
  });
  const QueueReply reply = send("one");
  server.join();
  EXPECT_EQ(reply.qp, 4711);
  EXPECT_EQ(reply.problem, queue_exit_text(62));
}

// Somebody else's, of whom we have the socket alone.
TEST_F(KeptQueues, MayServeFromTheFirstMessageOn) {
  auto server = start_queue_server(directory_.path()).value();
  kept_.orders = std::move(server.orders);
  EXPECT_EQ(send("one").qp, server.child.pid());
  EXPECT_EQ(send("two").qp, server.child.pid());
  EXPECT_EQ(send("crash").problem, "Zqq crashed (#4.3.0)");
  const QueueReply next = send("three");  // by a program of its own
  EXPECT_TRUE(next.accepted());
  EXPECT_THAT(seen(), testing::EndsWith("bin/qmail-queue: three 'Fa@x\\x00Tb@y\\x00\\x00'\n"));
  (void)server.child.wait();
}

TEST_F(KeptQueues, NeedNotTakeAnOrder) {
  for (const std::size_t size : {3U, 70'000U}) {
    auto sockets = make_packet_pair().value();
    kept_.orders = std::move(sockets.ours);
    std::thread broker([&] { (void)receive_packet(sockets.theirs.get(), 100); });  // and drops it
    EXPECT_TRUE(send(std::string(size, 'x')).accepted());
    broker.join();
  }
  const std::string envelope = " 'Fa@x\\x00Tb@y\\x00\\x00'\n";
  EXPECT_EQ(seen(), "bin/qmail-queue: xxx" + envelope +
                        "bin/qmail-queue: " + std::string(70'000, 'x') + envelope);
}

}  // namespace
}  // namespace postern::wire

// Sessions in threads, a script in the place of qmail-queue, and the broker between them.
#include "smtpd/queue_broker.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <atomic>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <thread>

#include "posix/environment.h"
#include "posix/files.h"
#include "posix/signals.h"
#include "support/serving_queue.h"
#include "support/temporary_directory.h"
#include "wire/queue_client.h"

namespace postern::smtpd {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

class Brokers : public testing::Test {
 public:
  ~Brokers() override {
    stop();
    unset_environment_variable("QMAILHOME");
  }

 protected:
  Brokers() {
    ignore_signal(SIGPIPE);
    std::filesystem::create_directory("bin");
    put("bin/qmail-queue", test::serving_queue);
    set_environment_variable("QMAILHOME", directory_.path());
    unset_environment_variable("QMAILQUEUE");
  }

  static void put(const std::string& path, std::string_view script) {
    std::ofstream(path + ".new") << script;
    ::chmod((path + ".new").c_str(), 0755);
    std::filesystem::rename(path + ".new", path);
  }

  void start(std::size_t most, BrokerTimes times = {}) {
    broker_.emplace(QueueBroker::create(directory_.path(), most, times).value());
    loop_ = std::thread([this] {
      while (!stopping_) {
        (void)broker_->tidy();
        std::vector<pollfd> polled;
        broker_->add_to(polled);
        if (::poll(polled.data(), polled.size(), 1) > 0) broker_->handle(polled);
        tell_of_an_ended_child();
      }
    });
  }
  // Not waited for if it is a session's own.
  void tell_of_an_ended_child() {
    siginfo_t ended{};
    if (::waitid(P_ALL, 0, &ended, WEXITED | WNOHANG | WNOWAIT) != 0 || ended.si_pid == 0) return;
    if (broker_->remove(ended.si_pid)) ::waitpid(ended.si_pid, nullptr, 0);
  }
  void stop() {
    stopping_ = true;
    if (loop_.joinable()) loop_.join();
    broker_.reset();
  }

  // A session of its own, with its socket to the broker.
  struct SomeSession {
    wire::KeptQueue kept;
    std::optional<wire::QueueClient> message;

    void begin(std::string_view text) {
      message.emplace(wire::QueueClient::open(kept).value());
      message->write(text);
      message->sender("a@x");
      message->recipient("b@y");
    }
    wire::QueueReply end() {
      const auto reply = message->finish();
      message.reset();
      return reply;
    }
  };
  SomeSession session() {
    SomeSession made;
    made.kept.orders = Fd(::dup(broker_->orders_for_sessions()));
    return made;
  }
  wire::QueueReply send(std::string_view text) {
    SomeSession one = session();
    one.begin(text);
    return one.end();
  }
  static std::string seen() { return read_file("seen", 10000).value_or(""); }

  test::TemporaryDirectory directory_;
  std::optional<QueueBroker> broker_;
  std::atomic<bool> stopping_ = false;
  std::thread loop_;
};

TEST_F(Brokers, BringTheMessagesOfManySessionsToOneServer) {
  start(5);
  const auto first = send("one");
  EXPECT_TRUE(first.accepted());
  for (const char* text : {"two", "three", "four"}) {
    const auto reply = send(text);
    EXPECT_TRUE(reply.accepted());
    EXPECT_EQ(reply.qp, first.qp);
  }
}

TEST_F(Brokers, LetNoSessionWaitForAnothersMessage) {
  start(2);
  SomeSession sessions[] = {session(), session(), session()};
  for (auto& one : sessions) one.begin("slow");
  for (auto& one : sessions) EXPECT_TRUE(one.end().accepted());
  // The broker has two at most. The third session has started a program for its message.
  EXPECT_THAT(seen(), HasSubstr("bin/qmail-queue: slow"));
}

TEST_F(Brokers, PassOnWhatBecomesOfEachMessage) {
  start(5);
  EXPECT_TRUE(send("refuse").permanent());
  EXPECT_EQ(send("crash").problem, "Zqq crashed (#4.3.0)");
  EXPECT_TRUE(send("fine").accepted());
}

TEST_F(Brokers, AreNotNeeded) {
  start(5);
  SomeSession left = session();
  stop();
  left.begin("alone");
  EXPECT_TRUE(left.end().accepted());
  EXPECT_THAT(seen(), HasSubstr("bin/qmail-queue: alone"));
}

TEST_F(Brokers, DismissServersThatHaveNoWork) {
  start(5, {.idle = 0ms});
  const auto first = send("one");
  EXPECT_TRUE(first.accepted());
  int status = 0;
  EXPECT_EQ(::waitpid(first.qp, &status, 0), first.qp);
  EXPECT_EQ(status, 0);
  const auto next = send("two");
  EXPECT_TRUE(next.accepted());
  EXPECT_NE(next.qp, first.qp);
}

// An administrator may put a filter in the place of qmail-queue at any time.
TEST_F(Brokers, HaveNoServersOfAProgramThatHasBeenReplaced) {
  start(5);
  EXPECT_TRUE(send("one").accepted());
  std::filesystem::rename("bin/qmail-queue", "bin/the-real-one");
  put("bin/qmail-queue", "#!/bin/sh\necho \"filter:$*\" >>seen\nexec bin/the-real-one\n");
  EXPECT_TRUE(send("two").accepted());
  EXPECT_THAT(seen(), HasSubstr("filter:\n"));
  EXPECT_THAT(seen(), HasSubstr("bin/the-real-one: two"));
}

TEST_F(Brokers, StartAProgramThatTakesNoOrdersToNoEndOnlyNowAndThen) {
  put("bin/qmail-queue",
      "#!/bin/sh\necho \"started:$*.\" >>seen\ncat >/dev/null\ncat <&1 >/dev/null\n");
  start(5, {.idle = 60s, .retry = 60s});
  for (const char* text : {"one", "two", "three"}) EXPECT_TRUE(send(text).accepted());
  EXPECT_EQ(seen(), "started:--serve.\nstarted:.\nstarted:.\nstarted:.\n");
}

// What it has left behind has the socket still.
TEST_F(Brokers, NoticeThatAProgramHasEnded) {
  ASSERT_EQ(::mkfifo("until-the-end", 0600), 0);
  put("bin/qmail-queue",
      "#!/bin/sh\ncat until-the-end >/dev/null 2>&1 4>&- 6>&- &\n"
      "exec 5<&1\n[ \"$1\" ] || { cat; cat <&5; } >>seen\n");
  start(5);
  EXPECT_TRUE(send("one").accepted());
  EXPECT_THAT(seen(), HasSubstr("one"));
  const Fd end(::open("until-the-end", O_WRONLY | O_NONBLOCK));
}

TEST_F(Brokers, AreNotStoppedByASessionThatShutsItsSocketDown) {
  start(5);
  SomeSession hostile = session();
  ASSERT_EQ(::shutdown(hostile.kept.orders.get(), SHUT_RDWR), 0);
  EXPECT_TRUE(send("one").accepted());
  const auto second = send("two");
  EXPECT_TRUE(second.accepted());
  EXPECT_THAT(seen(), HasSubstr("bin/qmail-queue --serve: two"));
}

}  // namespace
}  // namespace postern::smtpd

// A message to one recipient is delivered while todo/N stands, and gets no file if that succeeds.
#include <gtest/gtest.h>

#include <csignal>
#include <thread>

#include "send/engine.h"
#include "unit/send/answers.h"
#include "unit/send/queue_world.h"
#include "unit/send/tried_message.h"
#include "wire/time_limits.h"

namespace postern::send {
namespace {

using namespace std::string_literals;
using test::defer;
using test::expect_empty_queue;
using test::long_for_a_try;
using test::number;
using test::QueueWorld;
using test::succeed;
using test::TriedMessage;

TEST(FirstTry, NeedsNoFilesWhereItDelivers) {
  TriedMessage message;
  message.expect_only_todo();
  message.report("Kok\n");
  message.expect_end();
  EXPECT_EQ(message.count_orders(), 1U);
}

// The other order would lose it: without todo/N nothing says where the text is to go.
TEST(FirstTry, TakesTheTextAwayOnlyWhenTodoIsGone) {
  TriedMessage message;
  message.report("Kok\n");
  message.world.run_until_logged("end msg " + number(message.id));
  message.world.run_until_quiet();
  ASSERT_EQ(message.world.clean_orders.size(), 2U);
  EXPECT_EQ(message.world.clean_orders[0].kind, wire::CleanOrder::Kind::todo);
  EXPECT_EQ(message.world.clean_orders[1].kind, wire::CleanOrder::Kind::message);
}

TEST(FirstTry, ThatIsDeferredIsTriedAgainLikeAnyOther) {
  TriedMessage message;
  std::size_t files_before_todo_goes = 0;
  message.world.clean_answer = [&](const wire::CleanOrder& order) {
    if (order.kind == wire::CleanOrder::Kind::todo) {
      EXPECT_TRUE(QueueWorld::exists(wire::todo_path(message.id)));
      files_before_todo_goes = QueueWorld::count_files("info") + QueueWorld::count_files("remote");
    }
    return ""s;
  };
  message.report("Znot now\n");
  message.world.run_until_logged("deferral: not_now/");
  message.world.run_until([&] { return !QueueWorld::exists(wire::todo_path(message.id)); });
  EXPECT_EQ(files_before_todo_goes, 2U);
  message.expect_files();
  message.world.now += 399;
  message.world.run_until_quiet();
  EXPECT_EQ(message.count_orders(), 1U);
  message.world.now += 2;
  message.world.run_until([&] { return message.count_orders() == 2; });
  message.report("Kok\n");
  message.world.run_until_logged("end msg " + number(message.id));
}

// For a host that is down, while qmail-clean, and so the end of each first try, keeps us waiting.
struct Burst {
  QueueWorld world;

  Burst(unsigned limit, int messages) {
    world.counts.remote.limit = limit;
    world.clean_is_busy = true;
    world.answer = defer;
    for (int i = 0; i < messages; ++i) world.put({"a@x", {"b@z"}});
    world.start();
  }
  void end() {
    world.clean_is_busy = false;
    world.run_until([&] { return QueueWorld::count_files("todo") == 0; });
  }
};

// Else a burst has the disk to itself, one limit's worth at a time.
TEST(FirstTry, ThatIsDeferredMakesRoomBeforeTheMessageHasItsFiles) {
  Burst burst(1, 3);
  QueueWorld& world = burst.world;
  world.run_until([&] { return world.count_logged("deferral: not_now/") == 3; });
  EXPECT_EQ(QueueWorld::count_files("todo"), 3U);
  EXPECT_TRUE(world.log().ends_with("status: local 0/10 remote 0/1\n"));
  burst.end();
  EXPECT_EQ(QueueWorld::count_files("remote"), 3U);
  world.answer = succeed;
  world.now += 401;
  world.run_until([&] { return world.count_logged("end msg") == 3; });
  EXPECT_EQ(world.orders[1].size(), 6U);
}

// An administrator who reads of it may say at once that the trouble is over.
TEST(FirstTry, ThatIsDeferredIsDueAtAnAlarmBeforeTheMessageHasItsFiles) {
  TriedMessage message;
  message.world.clean_is_busy = true;
  message.report("Znot now\n");
  message.world.run_until_logged("deferral: not_now/");
  message.world.engine().handle_signal(SIGALRM);
  message.world.run_until_quiet();
  EXPECT_EQ(message.count_orders(), 1U);
  message.world.clean_is_busy = false;
  message.world.run_until([&] { return message.count_orders() == 2; });
  message.expect_files();
}

// Their files are open until they are durable.
TEST(FirstTry, ThatIsDeferredKeepsItsPlaceBehindManyWithoutFiles) {
  Burst burst(2, 100);
  QueueWorld& world = burst.world;
  world.run_until([&] { return world.orders[1].size() == 66; });
  world.run_until_quiet();
  EXPECT_EQ(world.orders[1].size(), 66U);
  EXPECT_EQ(world.count_logged("deferral"), 64U);
  burst.end();
  EXPECT_EQ(world.count_logged("deferral"), 100U);
  EXPECT_TRUE(world.log().ends_with("status: local 0/10 remote 0/2\n"));
}

TEST(FirstTry, ThatFailsBounces) {
  TriedMessage message;
  message.report("Dno such user\n");
  message.world.run_until_logged("end msg " + number(message.id));
  EXPECT_TRUE(message.world.queued_message(1).contains("<b@z>:\nno such user\n"));
  message.world.run_until_quiet();
  expect_empty_queue();
}

TEST(FirstTry, OfAMessageThatMayNotWaitIsItsLast) {
  QueueWorld world;
  world.settings.lifetime = -1;
  world.answer = [](Channel, const wire::DeliveryOrder&) { return "Znot now\n"s; };
  const auto id = world.put({"a@x", {"b@z"}});
  world.start();
  world.run_until_logged("end msg " + number(id));
  EXPECT_TRUE(world.queued_message(1).contains("I'm not going to try again"));
}

// qmail-qread and its kind read the files; a message must not be hidden from them for as long as
// a slow host likes.
TEST(FirstTry, ThatLastsLongGetsItsFiles) {
  TriedMessage message;
  message.world.now += long_for_a_try - 1;
  message.world.run_until_quiet();
  message.expect_only_todo();
  message.world.now += 1;
  message.world.run_until([&] { return !QueueWorld::exists(wire::todo_path(message.id)); });
  message.expect_files();
  message.world.run_until_quiet();
  EXPECT_EQ(message.count_orders(), 1U);
  message.report("Kok\n");
  message.expect_end();
}

TEST(FirstTry, ReportedWhileItsFilesAreMadeCountsAfterwards) {
  for (const std::string text : {"Kok\n", "Znot now\n"}) {
    TriedMessage message;
    message.world.clean_answer = [&](const wire::CleanOrder& order) {
      // Before the answer to the order that takes it out of todo.
      if (order.kind == wire::CleanOrder::Kind::todo) message.report(text);
      return ""s;
    };
    message.world.now += long_for_a_try;
    message.world.run_until_logged(text[0] == 'K' ? "success: ok/" : "deferral: not_now/");
    message.world.run_until_quiet();
    EXPECT_EQ(message.world.count_logged("end msg"), text[0] == 'K' ? 1U : 0U);
    if (text[0] == 'K') {
      expect_empty_queue();
    } else {
      message.expect_files();
    }
    EXPECT_EQ(message.count_orders(), 1U);
  }
}

TEST(FirstTry, IsNotForAMessageToTwo) {
  QueueWorld world;
  const auto id = world.put({"a@x", {"b@me.example", "c@z"}});
  world.start();
  world.run_until([&] { return !world.orders[0].empty() && !world.orders[1].empty(); });
  EXPECT_FALSE(QueueWorld::exists(wire::todo_path(id)));
  EXPECT_TRUE(QueueWorld::exists(wire::info_path(id)));
}

// todo would fill up, and be read over and over.
TEST(FirstTry, IsNotForMoreThanAFewThatWait) {
  QueueWorld world;
  world.counts.remote.limit = 1;
  for (int i = 0; i < 1100; ++i) world.put({"a@x", {"b@z"}});
  world.start();
  world.run_until([&] { return world.count_logged("new msg") == 1100; });
  world.run_until_quiet();
  EXPECT_EQ(world.orders[1].size(), 1U);
  EXPECT_GE(QueueWorld::count_files("todo"), 1024U);
  EXPECT_LE(QueueWorld::count_files("todo"), 1025U);
}

TEST(FirstTry, ThatWaitsLongGetsItsFilesBefore) {
  QueueWorld world;
  world.counts.remote.limit = 1;
  for (int i = 0; i < 10; ++i) world.put({"a@x", {"b@z"}});
  world.start();
  world.run_until([&] { return world.count_logged("new msg") == 10; });
  world.now += long_for_a_try;
  world.run_until([&] { return QueueWorld::count_files("todo") == 0; });
  EXPECT_EQ(QueueWorld::count_files("remote"), 10U);
  world.answer = [](Channel, const wire::DeliveryOrder&) { return "Kok\n"s; };
  world.report(Channel::remote, 0, "Kok\n");
  world.run_until([&] { return world.count_logged("end msg") == 10; });
  EXPECT_EQ(world.orders[1].size(), 10U);
}

// One delivery at a time; the message that waits is just being taken out of todo when the first
// ends.
struct MissedTurn {
  QueueWorld world;
  explicit MissedTurn(bool can_be_made) {
    world.counts.remote.limit = 1;
    for (int i = 0; i < 2; ++i) world.put({"a@x", {"b@z"}});
    world.start();
    world.run_until([&] { return world.count_logged("new msg") == 2; });
    world.clean_answer = [this, can_be_made](const wire::CleanOrder&) {
      if (!std::exchange(is_reported_, true)) world.report(Channel::remote, 0, "Kok\n");
      world.engine().turn(nullptr, std::chrono::milliseconds(1));
      return can_be_made ? ""s : "!"s;
    };
    world.now += long_for_a_try;
    world.run_until([&] { return world.clean_orders.size() >= 2; });
    world.run_until_logged("success");
    world.clean_answer = nullptr;
    world.now += wire::system_failure_pause;
    world.run_until([&] { return world.orders[1].size() == 2; });
    world.report(Channel::remote, 0, "Kok\n");
    world.run_until([&] { return world.count_logged("end msg") == 2; });
    world.run_until_quiet();
    EXPECT_EQ(world.orders[1].size(), 2U);
    expect_empty_queue();
  }

 private:
  bool is_reported_ = false;
};

TEST(FirstTry, WhoseTurnComesWhileItsFilesAreMadeHasItAfterwards) { MissedTurn{true}; }

TEST(FirstTry, WhoseTurnComesWhileItsFilesCannotBeMadeHasItAfterwards) { MissedTurn{false}; }

// The files that could not be made durable must not stay when todo/N goes: they would bring the
// message once more.
TEST(FirstTry, ThatDeliversWhileItsFilesCannotBeMadeIsDelivered) {
  TriedMessage message;
  bool refuse_orders = true;
  message.world.clean_answer = [&](const wire::CleanOrder&) {
    if (!refuse_orders) return ""s;
    refuse_orders = false;
    EXPECT_TRUE(QueueWorld::exists(wire::remote_path(message.id)));
    message.report("Kok\n");
    message.world.engine().turn(nullptr, std::chrono::milliseconds(1));
    return "!"s;
  };
  message.world.now += long_for_a_try;
  message.expect_end();
  EXPECT_EQ(message.world.count_logged("success: ok/"), 1U);
}

TEST(FirstTry, LeavesRetriesTheirTurn) {
  QueueWorld world;
  world.counts.remote.limit = 2;
  world.answer = [](Channel, const wire::DeliveryOrder& order) {
    return order.recipient == "old@z" ? "Znot now\n"s : "Kok\n"s;
  };
  world.put_preprocessed("a@x", "", "Told@z\0"s);
  for (int i = 0; i < 40; ++i) world.put({"a@x", {"b@z"}});
  world.start();
  world.run_until([&] { return world.count_logged("end msg") == 40; });
  std::size_t place = 0;
  while (world.orders[1].at(place).recipient != "old@z") ++place;
  EXPECT_LT(place, 10U);
}

// What stands under its number may be of a message of long ago, and must be gone durably before
// todo/N is.
TEST(FirstTry, ThatLastsDoesNotSlowDownTheReadingOfTodo) {
  QueueWorld world;
  for (int count = 0; count < 500; ++count) world.put({"a@x", {"b@z"}});
  world.start();
  const auto seen = [&] { return world.count_logged("new msg"); };
  world.run_until([&] { return seen() == 500; });
  for (int count = 0; count < 20; ++count) world.put({"a@x", {"b@z"}});
  world.pull_trigger();
  std::this_thread::sleep_for(std::chrono::milliseconds(50));  // scans keep a distance
  for (int turns = 0; turns < 3; ++turns)
    world.engine().turn(nullptr, std::chrono::milliseconds(1));
  EXPECT_EQ(seen(), 520U);
}

// As many as may be under way have been delivered, and stay until qmail-clean comes to them.
TEST(FirstTry, LeavesTheProcessorAloneWhileQmailCleanIsBusy) {
  using std::chrono::steady_clock;
  QueueWorld world;
  world.answer = [](Channel, const wire::DeliveryOrder&) { return "Kok\n"s; };
  world.clean_is_busy = true;
  for (int count = 0; count < 300; ++count) world.put({"a@x", {"b@z"}});
  world.start();
  world.run_until_quiet();
  ASSERT_GE(world.count_logged(": success: "), 256U);
  world.put({"a@x", {"b@z"}});
  world.pull_trigger();
  world.run_until_quiet();
  ASSERT_LE(world.count_logged("new msg"), 300U);
  const auto began = steady_clock::now();
  world.engine().turn(nullptr, std::chrono::milliseconds(100));
  EXPECT_GE(steady_clock::now() - began, std::chrono::milliseconds(90));
  world.clean_is_busy = false;
  world.run_until([&] { return world.count_logged("end msg") == 301; });
}

TEST(FirstTry, IsNotForANumberThatHasLeftovers) {
  for (const char* kind : {"info", "local", "remote", "bounce"}) {
    QueueWorld world;
    const auto id = world.put({"a@x", {"b@z"}});
    const std::string path =
        kind == "bounce"s ? wire::bounce_path(id) : kind + ("/" + wire::split_name(id));
    QueueWorld::write(path, "Told@y\0"s);
    world.start();
    world.run_until([&] { return !world.orders[1].empty(); });
    EXPECT_FALSE(QueueWorld::exists(wire::todo_path(id))) << kind;
    EXPECT_EQ(QueueWorld::read(wire::remote_path(id)), "Tb@z\0"s) << kind;
    EXPECT_FALSE(QueueWorld::exists(wire::local_path(id))) << kind;
    EXPECT_FALSE(QueueWorld::exists(wire::bounce_path(id))) << kind;
  }
}

}  // namespace
}  // namespace postern::send

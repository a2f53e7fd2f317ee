// qmail-send as a whole, in process, where something is missing, broken, or not as it was left.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <algorithm>
#include <csignal>
#include <filesystem>

#include "posix/files.h"
#include "posix/lock.h"
#include "send/engine.h"
#include "unit/send/answers.h"
#include "unit/send/queue_world.h"
#include "wire/time_limits.h"

namespace postern::send {
namespace {

using namespace std::string_literals;
using test::defer;
using test::expect_empty_queue;
using test::number;
using test::QueueWorld;
using test::refuse;
using test::succeed;
namespace fs = std::filesystem;

TEST(EngineInTrouble, LeftoversOfACrashWhilePreprocessingAreMadeAfresh) {
  QueueWorld world;
  const auto id = world.put({"a@x", {"b@me.example"}});
  QueueWorld::write(wire::info_path(id), "Fol");
  QueueWorld::write(wire::local_path(id), "Tsomebody-else@me.exa");
  QueueWorld::write(wire::remote_path(id), "Tb@z\0"s);
  QueueWorld::write(wire::bounce_path(id), "<old@z>:\nno\n\n");
  world.answer = succeed;
  world.start();
  world.run_until_logged("end msg " + number(id));
  world.run_until_quiet();
  EXPECT_EQ(world.count_logged("starting"), 1U);
  EXPECT_EQ(world.count_logged("bounce"), 0U);
  EXPECT_EQ(world.count_logged("warning"), 0U);
  expect_empty_queue();
}

TEST(EngineInTrouble, RubbishInTodoIsWarnedOfAndLeftAloneForAWhile) {
  QueueWorld world;
  world.answer = succeed;
  const auto rubbish = world.put({"a@x", {"b@me.example"}});
  QueueWorld::write(wire::todo_path(rubbish), "u1\0p1\0Fa@x\0Zwhat\0"s);
  const auto cut = world.put({"a@x", {"b@me.example"}});
  QueueWorld::write(wire::todo_path(cut), "u1\0p1\0Fa@"s);
  QueueWorld::write("todo/not-a-number", "x");
  QueueWorld::write("todo/007", "x");
  fs::create_directory("todo/1");
  QueueWorld::write(wire::mess_path(1), "x");
  ASSERT_EQ(::mkfifo("todo/2", 0600), 0);
  QueueWorld::write(wire::mess_path(2), "x");
  QueueWorld::write("todo/3", "u1\0p1\0Fa@x\0"s);
  const auto good = world.put({"a@x", {"b@me.example"}});
  world.start();
  world.run_until_logged("end msg " + number(good));
  world.run_until_quiet();
  EXPECT_EQ(world.count_logged("warning: unknown record type in todo/" + number(rubbish) + "\n"),
            1U);
  EXPECT_EQ(world.count_logged("warning: trouble reading todo/" + number(cut) + "\n"), 1U);
  EXPECT_EQ(world.count_logged("warning: unable to open todo/1\n"), 1U);
  EXPECT_EQ(world.count_logged("warning: unable to open todo/2\n"), 1U);
  EXPECT_EQ(world.count_logged("warning: unable to stat mess/3/3\n"), 1U);
  EXPECT_EQ(world.count_logged("warning: the text of todo/3 is gone; nothing is delivered"), 1U);
  EXPECT_EQ(world.count_logged("warning"), 6U);
  EXPECT_EQ(world.count_logged("new msg"), 1U);

  QueueWorld::write(wire::todo_path(rubbish), "u1\0p1\0Fa@x\0Tb@me.example\0"s);
  world.pull_trigger();
  world.run_until_quiet();
  EXPECT_EQ(world.count_logged("warning"), 6U) << "the pause has not been kept";
  world.now += wire::system_failure_pause;
  world.run_until_logged("end msg " + number(rubbish));
}

TEST(EngineInTrouble, AnEnvelopeWhoseTextIsGoneIsKeptAndLookedAtEveryHour) {
  QueueWorld world;
  world.answer = succeed;
  const auto id = world.put({"a@x", {"b@me.example"}}, "hello\n");
  fs::rename(wire::mess_path(id), "kept");
  QueueWorld::set_time(wire::todo_path(id), world.now - 10 * wire::debris_age);
  const std::string warning = "warning: the text of todo/" + number(id) + " is gone";
  world.start();
  world.run_until_logged(warning);
  world.now += wire::system_failure_pause;
  world.run_until_quiet();
  EXPECT_EQ(world.count_logged(warning), 1U);
  world.now += 3600;
  world.run_until([&] { return world.count_logged(warning) == 2; });
  EXPECT_TRUE(QueueWorld::exists(wire::todo_path(id)));
  EXPECT_TRUE(world.clean_orders.empty());

  fs::rename("kept", wire::mess_path(id));  // somebody has found it
  world.now += 3600;
  world.run_until_logged("end msg " + number(id));
}

TEST(EngineInTrouble, RubbishInRecipientFilesKeepsTheMessage) {
  QueueWorld world;
  world.answer = succeed;
  const auto rubbish = world.put_preprocessed("a@x", "Tb@me.example\0Xwhat\0"s, "");
  const auto cut = world.put_preprocessed("a@x", "", "Tb@z\0Tc@"s);
  const auto no_info = world.put_preprocessed("a@x", "", "Tb@z\0"s);
  QueueWorld::write(wire::info_path(no_info), "?");
  const auto directory = world.put_preprocessed("a@x", "", "");
  fs::create_directory(wire::local_path(directory));
  fs::create_directories("info/5/x");
  QueueWorld::write("info/5/rubbish", "x");
  QueueWorld::write("info/5/6", "Fwrong directory\0"s);
  world.start();
  world.run_until([&] { return world.count_logged("warning") == 4; });
  world.run_until_logged("success");
  world.run_until_quiet();
  EXPECT_EQ(
      world.count_logged("warning: unknown record type in " + wire::local_path(rubbish) + "!"), 1U);
  EXPECT_EQ(world.count_logged("warning: unknown record type in " + wire::remote_path(cut) + "!"),
            1U);
  EXPECT_EQ(world.count_logged("warning: trouble reading " + wire::info_path(no_info) +
                               "; will try again later\n"),
            1U);
  EXPECT_EQ(world.count_logged("warning: trouble opening " + wire::local_path(directory) +
                               "; will try again later\n"),
            1U);
  EXPECT_EQ(world.count_logged("warning"), 4U);
  EXPECT_EQ(world.count_logged("end msg"), 0U);
  EXPECT_EQ(QueueWorld::read(wire::local_path(rubbish)), "Db@me.example\0Xwhat\0"s);
}

TEST(EngineInTrouble, RefusalOfQmailCleanKeepsTheMessageInTodo) {
  QueueWorld world;
  world.answer = succeed;
  bool refuse_orders = true;
  world.clean_answer = [&](const wire::CleanOrder& /*order*/) {
    return refuse_orders ? "!"s : ""s;
  };
  const auto id = world.put({"a@x", {"b@me.example", "c@me.example"}});
  world.start();
  world.run_until_logged("warning: qmail-clean unable to clean up todo/" + number(id) + "\n");
  world.run_until_quiet();
  EXPECT_EQ(world.count_logged("starting"), 0U);
  refuse_orders = false;
  world.now += wire::system_failure_pause;
  world.run_until_logged("end msg " + number(id));
}

TEST(EngineInTrouble, LossOfASpawnEndsIt) {
  for (const Channel channel : channels) {
    QueueWorld world;
    world.put({"a@x", {"b@me.example", "c@z"}});
    world.start();
    world.run_until([&] { return !world.orders[0].empty() && !world.orders[1].empty(); });
    world.close_spawn(channel);
    world.run_until_logged("alert: oh no! lost spawn connection! dying...\n");
    const Channel other = channel == Channel::local ? Channel::remote : Channel::local;
    EXPECT_TRUE(world.engine().turn(nullptr, std::chrono::milliseconds(1)));
    world.report(other, 0, "Kok\n");
    world.stop();
    EXPECT_TRUE(world.log().ends_with("status: exiting\n"));
    EXPECT_EQ(world.count_logged("lost"), 1U);
  }
}

TEST(EngineInTrouble, LossOfQmailCleanEndsIt) {
  QueueWorld world;
  world.start();
  world.close_clean();
  world.run_until_logged("alert: oh no! lost qmail-clean connection! dying...\n");
  world.stop();
}

TEST(EngineInTrouble, SweepsMessagesThatWereNeverQueued) {
  QueueWorld world;
  const auto old_time = world.now - wire::debris_age - 1;
  const auto debris = world.put({"a@x", {}});
  fs::remove(wire::todo_path(debris));
  QueueWorld::set_time(wire::mess_path(debris), old_time);
  const auto young = world.put({"a@x", {}});
  fs::remove(wire::todo_path(young));
  const auto ours = world.put_preprocessed("a@x", "", "Tb@z\0"s);
  QueueWorld::set_time(wire::mess_path(ours), old_time);
  QueueWorld::write("mess/3/name", "x");
  world.start();
  world.run_until([&] { return !QueueWorld::exists(wire::mess_path(debris)); });
  world.run_until_quiet();
  EXPECT_FALSE(QueueWorld::exists(wire::intd_path(debris)));
  EXPECT_TRUE(QueueWorld::exists(wire::mess_path(young)));
  EXPECT_TRUE(QueueWorld::exists(wire::mess_path(ours)));
  EXPECT_EQ(world.clean_orders.size(), 1U);
  world.now += wire::debris_scan_interval;
  QueueWorld::set_time(wire::mess_path(young), world.now - wire::debris_age - 1);
  world.run_until([&] { return !QueueWorld::exists(wire::mess_path(young)); });
}

// A step of the clock makes everything old, also what a qmail-queue has just begun.
TEST(EngineInTrouble, SweepsNothingThatIsStillBeingWritten) {
  QueueWorld world;
  const auto begun = world.put({"a@x", {}});
  fs::remove(wire::todo_path(begun));
  QueueWorld::set_time(wire::mess_path(begun), world.now - wire::debris_age - 1);
  auto writer = open_for_reading(wire::mess_path(begun)).value();
  ASSERT_TRUE(try_lock(writer.get()));
  world.start();
  world.run_until_quiet();
  EXPECT_TRUE(QueueWorld::exists(wire::mess_path(begun)));
  EXPECT_TRUE(world.clean_orders.empty());
  writer.reset();
  world.now += wire::debris_scan_interval;
  world.run_until([&] { return !QueueWorld::exists(wire::mess_path(begun)); });
}

TEST(EngineInTrouble, IsNotHeldUpByAFifoInThePlaceOfAText) {
  QueueWorld world;
  ASSERT_EQ(::mkfifo(wire::mess_path(23).c_str(), 0600), 0);
  QueueWorld::set_time(wire::mess_path(23), world.now - wire::debris_age - 1);
  world.start();
  world.run_until_quiet();
  EXPECT_TRUE(world.clean_orders.empty());
}

TEST(EngineInTrouble, MessageRemovedByHandMayLeaveItsNumberToAnother) {
  QueueWorld world;
  world.answer = defer;
  const auto id = world.put({"a@x", {"b@y"}});
  world.start();
  world.run_until([&] { return !QueueWorld::exists(wire::todo_path(id)); });
  for (const auto& path : {wire::info_path(id), wire::remote_path(id)}) fs::remove(path);
  QueueWorld::write(wire::todo_path(id), "u1\0p1\0Fc@x\0Td@y\0"s);
  world.answer = nullptr;
  world.pull_trigger();
  world.run_until([&] { return world.orders[1].size() == 2; });
  world.engine().handle_signal(SIGALRM);
  world.run_until_quiet();
  EXPECT_EQ(world.orders[1].size(), 2U);
  world.report(Channel::remote, world.orders[1][1].number, "Kok\n");
  world.run_until_logged("end msg " + number(id));
  world.run_until_quiet();
  EXPECT_EQ(world.count_logged("end msg"), 1U);
  EXPECT_EQ(world.clean_orders.size(), 3U);
}

TEST(EngineInTrouble, BounceOfAMessageWhoseFileHasGoneIsDiscarded) {
  QueueWorld world;
  const auto id = world.put_preprocessed("a@x", "", "");
  QueueWorld::write(wire::bounce_path(id), "<c@z>:\nno\n\n");
  fs::remove(wire::mess_path(id));
  world.start();
  world.run_until_logged("end msg " + number(id));
  EXPECT_EQ(world.count_logged("warning: unable to stat " + wire::mess_path(id) + "; discarding " +
                               wire::bounce_path(id) + "\n"),
            1U);
  world.run_until_quiet();
  expect_empty_queue();
}

TEST(EngineInTrouble, FailureThatCannotBeNotedIsNotDone) {
  QueueWorld world;
  world.answer = refuse;
  const auto id = world.put_preprocessed("a@x", "", "Tc@z\0"s);
  fs::create_directory(wire::bounce_path(id));
  world.start();
  world.run_until_logged("alert: unable to append to bounce message; HELP! sleeping...\n");
  world.run_until_quiet();
  EXPECT_EQ(QueueWorld::read(wire::remote_path(id)), "Tc@z\0"s);
  fs::remove(wire::bounce_path(id));
  world.now += 400;
  world.run_until_logged("end msg " + number(id));
  EXPECT_TRUE(world.queued_message(1).contains("<c@z>:\nno such user\n\n"));
}

TEST(EngineInTrouble, MarksThatComeTogetherGoIntoTheFilesOfTheirMessages) {
  QueueWorld world;
  const auto one = world.put_preprocessed("a@x", "", "Tb@z\0Tcc@z\0Tddd@z\0"s);
  const auto two = world.put_preprocessed("a@x", "", "Tffff@z\0Tg@z\0Th@z\0"s);
  world.start();
  world.run_until([&] { return world.orders[1].size() == 6; });
  std::string reports;
  for (const std::string recipient : {"b@z", "g@z", "ddd@z", "h@z"}) {
    const auto order =
        std::ranges::find(world.orders[1], recipient, &wire::DeliveryOrder::recipient);
    reports += wire::format_report({order->number, "Kok\n"}, 1);
  }
  world.report_bytes(Channel::remote, reports);
  world.run_until([&] { return world.count_logged(": success: ok/") == 4; });
  EXPECT_EQ(QueueWorld::read(wire::remote_path(one)), "Db@z\0Tcc@z\0Dddd@z\0"s);
  EXPECT_EQ(QueueWorld::read(wire::remote_path(two)), "Tffff@z\0Dg@z\0Dh@z\0"s);
}

TEST(EngineInTrouble, MarksGoIntoTheFileThatHasTheNameNow) {
  QueueWorld world;
  const auto id = world.put_preprocessed("a@x", "", "Tb@z\0Tc@z\0Td@z\0"s);
  world.start();
  world.run_until([&] { return world.orders[1].size() == 3; });
  world.report(Channel::remote, world.orders[1][0].number, "Kok\n");
  world.run_until([&] { return world.count_logged(": success: ok/") == 1; });
  fs::copy(wire::remote_path(id), "copy");  // as from a backup
  fs::rename("copy", wire::remote_path(id));
  world.report(Channel::remote, world.orders[1][1].number, "Kok\n");
  world.run_until([&] { return world.count_logged(": success: ok/") == 2; });
  EXPECT_EQ(QueueWorld::read(wire::remote_path(id)), "Db@z\0Dc@z\0Td@z\0"s);
}

TEST(EngineInTrouble, MarkThatCannotBeWrittenIsWarnedOf) {
  QueueWorld world;
  const auto id = world.put_preprocessed("a@x", "", "Tb@z\0Tc@z\0"s);
  world.start();
  world.run_until([&] { return world.orders[1].size() == 2; });
  fs::remove(wire::remote_path(id));
  fs::create_directory(wire::remote_path(id));
  for (const auto& order : world.orders[1]) world.report(Channel::remote, order.number, "Kok\n");
  world.run_until_logged("warning: unable to unlink " + wire::remote_path(id) +
                         "; will try again later\n");
  EXPECT_EQ(world.count_logged("warning: trouble marking " + wire::remote_path(id) +
                               "; message will be delivered twice!\n"),
            2U);
  EXPECT_EQ(world.count_logged("end msg"), 0U);
}

TEST(EngineInTrouble, TimeThatCannotBeSavedIsWarnedOf) {
  QueueWorld world;
  world.answer = defer;
  const auto id = world.put_preprocessed("a@x", "", "Tc@z\0"s);
  world.start();
  world.run_until_logged("deferral: not_now/");
  fs::remove(wire::remote_path(id));
  world.stop();
  EXPECT_TRUE(world.log().contains("warning: unable to utime " + wire::remote_path(id) +
                                   "; message will be retried too soon\n"));
}

TEST(EngineInTrouble, TodoThatCannotBeOpenedIsTriedAgainSoon) {
  QueueWorld world;
  world.answer = succeed;
  const auto id = world.put({"a@x", {"b@me.example"}});
  fs::rename("todo", "away");
  world.start();
  world.run_until_logged("alert: unable to opendir todo, sleeping...\n");
  fs::rename("away", "todo");
  world.now += 10;
  world.run_until_logged("end msg " + number(id));
}

// Lets this process open so many files more.
void allow_descriptors(int more) {
  const Fd lowest(::dup(0));
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = more < 0 ? limit.rlim_max : static_cast<rlim_t>(lowest.get() + more);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
}

TEST(EngineInTrouble, FailureThatIsNotNotedDurablyIsTakenBack) {
  QueueWorld world;
  bool broken = true;
  world.answer = [&](Channel channel, const wire::DeliveryOrder& order) {
    if (broken) allow_descriptors(1);  // the bounce file, and not its directory to be synced
    return refuse(channel, order);
  };
  const auto id = world.put_preprocessed("a@x", "", "Tc@z\0"s);
  world.start();
  world.run_until_logged("alert: unable to append to bounce message; HELP! sleeping...\n");
  broken = false;
  allow_descriptors(-1);
  EXPECT_FALSE(QueueWorld::exists(wire::bounce_path(id)));
  EXPECT_EQ(QueueWorld::read(wire::remote_path(id)), "Tc@z\0"s);
  world.now += 400;
  world.run_until_logged("end msg " + number(id));
  const std::string bounce = world.queued_message(1);
  EXPECT_EQ(bounce.find("<c@z>:\n"), bounce.rfind("<c@z>:\n"));
}

TEST(EngineInTrouble, BounceWaitsWhenQmailQueueCannotBeStarted) {
  QueueWorld world;
  const auto id = world.put_preprocessed("a@x", "", "");
  QueueWorld::write(wire::bounce_path(id), "<c@z>:\nno\n\n");
  world.start();
  allow_descriptors(4);  // the files of the bounce, and not all the pipes
  world.run_until_logged("warning: unable to start qmail-queue, will try later\n");
  allow_descriptors(-1);
  EXPECT_TRUE(QueueWorld::exists(wire::bounce_path(id)));
  world.now += wire::system_failure_pause;
  world.run_until_logged("end msg " + number(id));
  EXPECT_EQ(world.queued_envelope(1), "F\0Ta@x\0\0"s);
}

}  // namespace
}  // namespace postern::send

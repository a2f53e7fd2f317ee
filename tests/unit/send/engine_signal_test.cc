// qmail-send as a whole, in process: what ALRM, HUP and TERM make it do.
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>

#include "unit/send/answers.h"
#include "unit/send/queue_world.h"

namespace postern::send {
namespace {

using namespace std::string_literals;
using test::defer;
using test::number;
using test::QueueWorld;
using test::succeed;
namespace fs = std::filesystem;

TEST(Engine, AlarmMakesEverythingDue) {
  QueueWorld world;
  world.answer = defer;
  for (int i = 0; i < 5; ++i) world.put({"a@x", {"b@y"}});
  world.start();
  world.run_until([&] { return world.count_logged("deferral: not_now/") == 5; });
  world.run_until_quiet();
  EXPECT_EQ(world.count_logged("starting"), 5U);
  world.engine().handle_signal(SIGALRM);
  world.run_until_quiet();
  EXPECT_EQ(world.count_logged("starting"), 10U);
}

TEST(Engine, AlarmIsForMailThatIsStillBeingLoadedToo) {
  QueueWorld world;
  const auto id = world.put_preprocessed("a@x", "", "Tb@y\0"s);
  QueueWorld::set_time(wire::remote_path(id), world.now + 5000);
  world.start();
  world.engine().handle_signal(SIGALRM);
  world.run_until_logged("starting delivery 1");
}

TEST(Engine, AlarmIsForNewMailThatCouldNotBeTakenToo) {
  QueueWorld world;
  world.answer = succeed;
  const auto id = world.put({"a@x", {"b@me.example"}});
  QueueWorld::write(wire::todo_path(id), "u1\0p1\0Fa@"s);
  world.start();
  world.run_until_logged("warning: trouble reading todo/" + number(id));
  QueueWorld::write(wire::todo_path(id), "u1\0p1\0Fa@x\0Tb@me.example\0"s);
  world.run_until_quiet();
  EXPECT_EQ(world.count_logged("new msg"), 0U);
  world.engine().handle_signal(SIGALRM);
  world.run_until_logged("end msg " + number(id));
}

TEST(Engine, TermEndsWhenTheLastDeliveryHasEnded) {
  QueueWorld world;
  world.counts.local.limit = 1;
  const auto id = world.put({"a@x", {"b@me.example", "c@me.example"}});
  world.start();
  world.run_until([&] { return world.orders[0].size() == 1; });
  world.engine().handle_signal(SIGTERM);
  for (int i = 0; i < 10; ++i)
    EXPECT_TRUE(world.engine().turn(nullptr, std::chrono::milliseconds(1)));
  world.report(Channel::local, 0, "Kdid\n");
  world.stop();
  EXPECT_TRUE(world.log().contains("status: local 1/1 remote 0/20 exitasap\n"));
  EXPECT_TRUE(
      world.log().ends_with("delivery 1: success: did/\n"
                            "status: local 0/1 remote 0/20 exitasap\n"
                            "status: exiting\n"));
  EXPECT_EQ(QueueWorld::read(wire::local_path(id)), "Db@me.example\0Tc@me.example\0"s);
}

TEST(Engine, HangupReadsLocalsAndVirtualdomainsAgain) {
  QueueWorld world;
  world.answer = succeed;
  fs::create_directory(world.home() + "/control");
  QueueWorld::write(world.home() + "/control/locals", "new.example\n");
  QueueWorld::write(world.home() + "/control/virtualdomains", "virt.example:joe\n");
  world.start();
  world.run_until_quiet();
  world.engine().handle_signal(SIGHUP);
  world.put({"a@x", {"b@new.example", "c@virt.example", "d@me.example"}});
  world.pull_trigger();
  world.run_until([&] { return world.count_logged("end msg") == 1; });
  EXPECT_TRUE(world.log().contains(" to local b@new.example\n"));
  EXPECT_TRUE(world.log().contains(" to local joe-c@virt.example\n"));
  EXPECT_TRUE(world.log().contains(" to remote d@me.example\n"));
}

TEST(Engine, HangupKeepsTheOldRulesWhenAFileCannotBeRead) {
  for (const auto& file : {"control/locals"s, "control/virtualdomains"s}) {
    QueueWorld world;
    world.answer = succeed;
    fs::create_directories(world.home() + "/" + file);
    QueueWorld::write(world.home() + "/control/me", "new.example\n");
    world.start();
    world.engine().handle_signal(SIGHUP);
    world.put({"a@x", {"d@me.example"}});
    world.pull_trigger();
    world.run_until_logged(" to local d@me.example\n");
    EXPECT_EQ(world.count_logged("alert: unable to reread " + file + "\n"), 1U);
  }
}

TEST(Engine, HangupWithoutAHomeKeepsTheOldRulesAndSaysWhy) {
  QueueWorld world;
  world.answer = succeed;
  world.settings.home = "/nonexistent";
  world.start();
  world.engine().handle_signal(SIGHUP);
  world.put({"a@x", {"d@me.example"}});
  world.pull_trigger();
  world.run_until_logged(" to local d@me.example\n");
  EXPECT_EQ(
      world.count_logged("alert: unable to reread controls: unable to switch to home directory\n"),
      1U);
}

}  // namespace
}  // namespace postern::send

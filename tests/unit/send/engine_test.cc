// qmail-send as a whole, in process: a real queue directory, everything around it played.
#include "send/engine.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <set>

#include "unit/send/answers.h"
#include "unit/send/queue_world.h"

namespace postern::send {
namespace {

using namespace std::string_literals;
using test::defer;
using test::expect_empty_queue;
using test::number;
using test::QueueWorld;
using test::succeed;
namespace fs = std::filesystem;

TEST(Engine, DeliversAMessageAndLogsItAsQmailDoes) {
  QueueWorld world;
  world.answer = succeed;
  const auto id = world.put({"root@mail.example.com", {"ari@me.example"}}, "hello\n");
  world.start();
  world.run_until_logged("end msg " + number(id));
  world.run_until_quiet();
  EXPECT_EQ(world.log(),
            "status: local 0/10 remote 0/20\n"
            "new msg " +
                number(id) +
                "\n"
                "info msg " +
                number(id) +
                ": bytes 6 from <root@mail.example.com> "
                "qp 4711 uid 1000\n"
                "starting delivery 1: msg " +
                number(id) +
                " to local ari@me.example\n"
                "status: local 1/10 remote 0/20\n"
                "delivery 1: success: did_1+0+0/\n"
                "status: local 0/10 remote 0/20\n"
                "end msg " +
                number(id) + "\n");
  expect_empty_queue();
}

TEST(Engine, WritesTheFilesOfTheQueueAsOtherToolsReadThem) {
  QueueWorld world;
  world.settings.rules.virtualdomains = control::HostMap({"d.org:joe"});
  const auto id =
      world.put({"a@x", {"b@me.example", "c@z", "Info@D.ORG", "noathost", "e@elsewhere.example"}});
  world.start();
  world.run_until([&] { return world.orders[0].size() == 3 && world.orders[1].size() == 2; });
  EXPECT_EQ(QueueWorld::read(wire::info_path(id)), "Fa@x\0"s);
  EXPECT_EQ(QueueWorld::read(wire::local_path(id)),
            "Tb@me.example\0Tjoe-Info@D.ORG\0Tnoathost@me.example\0"s);
  EXPECT_EQ(QueueWorld::read(wire::remote_path(id)), "Tc@z\0Te@elsewhere.example\0"s);
  EXPECT_FALSE(QueueWorld::exists(wire::todo_path(id)));
  EXPECT_FALSE(QueueWorld::exists(wire::intd_path(id)));
  EXPECT_EQ(world.orders[0][0],
            (wire::DeliveryOrder{0, wire::split_name(id), "a@x", "b@me.example"}));
  struct stat info{};
  ASSERT_EQ(::stat(wire::info_path(id).c_str(), &info), 0);
  world.report(Channel::local, world.orders[0][1].number, "Kdid\n");
  world.report(Channel::remote, world.orders[1][0].number, "Znot now\n");
  world.run_until_logged("deferral: not_now/");
  world.run_until_logged("success: did/");
  EXPECT_EQ(QueueWorld::read(wire::local_path(id)),
            "Tb@me.example\0Djoe-Info@D.ORG\0Tnoathost@me.example\0"s);
  EXPECT_EQ(QueueWorld::read(wire::remote_path(id)), "Tc@z\0Te@elsewhere.example\0"s);
}

TEST(Engine, MessageWithoutRecipientsJustEnds) {
  QueueWorld world;
  const auto id = world.put({"a@x", {}});
  world.start();
  world.run_until_logged("end msg " + number(id));
  world.run_until_quiet();
  expect_empty_queue();
}

TEST(Engine, SenderOfAListIsMadeForEachRecipient) {
  QueueWorld world;
  world.put({"l-@h-@[]", {"b@d", "c@d"}});
  world.start();
  world.run_until([&] { return world.orders[1].size() == 2; });
  EXPECT_EQ(world.orders[1][0].sender, "l-b=d@h");
  EXPECT_EQ(world.orders[1][1].sender, "l-c=d@h");
}

TEST(Engine, PulledTriggerBringsNewMail) {
  QueueWorld world;
  world.answer = succeed;
  world.start();
  world.run_until_quiet();
  const auto id = world.put({"a@x", {"b@me.example"}});
  world.run_until_quiet();
  EXPECT_EQ(world.count_logged("new msg"), 0U);
  world.pull_trigger();
  world.run_until_logged("end msg " + number(id));
}

TEST(Engine, LooksIntoTodoFromTimeToTimeWithoutTheTrigger) {
  QueueWorld world;
  world.answer = succeed;
  fs::remove("lock/trigger");
  world.start();
  world.run_until_quiet();
  const auto id = world.put({"a@x", {"b@me.example"}});
  world.run_until_quiet();
  EXPECT_EQ(world.count_logged("new msg"), 0U);
  world.now += wire::todo_scan_interval;
  world.run_until_logged("end msg " + number(id));
}

TEST(Engine, TriesAgainAccordingToTheSchedule) {
  QueueWorld world;
  world.answer = defer;
  const auto id = world.put_preprocessed("a@x", "", "Tb@y\0"s);
  world.start();
  const std::int64_t birth = world.now;
  std::size_t tries = 0;
  for (const std::int64_t age : {0, 400, 1600, 3600}) {
    world.now = birth + age - 1;
    world.run_until_quiet();
    EXPECT_EQ(world.count_logged("starting delivery"), tries);
    world.now = birth + age;
    world.run_until_quiet();
    EXPECT_EQ(world.count_logged("starting delivery"), ++tries) << age;
  }
  EXPECT_EQ(QueueWorld::read(wire::remote_path(id)), "Tb@y\0"s);
}

TEST(Engine, TriggerThatCannotBeOpenedIsTriedAgainSoon) {
  QueueWorld world;
  world.answer = succeed;
  fs::rename("lock/trigger", "lock/away");
  world.start();
  world.run_until_quiet();
  fs::rename("lock/away", "lock/trigger");
  world.now += 10;
  world.run_until_quiet();
  const auto id = world.put({"a@x", {"b@me.example"}});
  world.pull_trigger();
  world.run_until_logged("end msg " + number(id));
}

TEST(Engine, MangledReportDefers) {
  QueueWorld world;
  const auto id = world.put({"a@x", {"c@z"}});
  world.start();
  world.run_until([&] { return world.orders[1].size() == 1; });
  world.report(Channel::remote, 0, "?what\n");
  world.run_until_logged("delivery 1: report mangled, will defer\nstatus: local 0/10 remote 0/20");
  EXPECT_EQ(QueueWorld::read(wire::remote_path(id)), "Tc@z\0"s);
}

TEST(Engine, ReportOfADeliveryThatDoesNotRunIsWarnedOf) {
  QueueWorld world;
  world.start();
  world.report(Channel::local, 3, "Kdid\n");
  world.report(Channel::remote, 200, "Kdid\n");
  world.run_until([&] {
    return world.count_logged("warning: internal error: delivery report out of range") == 2;
  });
}

TEST(Engine, StartsNoMoreDeliveriesThanItsLimits) {
  QueueWorld world;
  world.counts.local.limit = 0;
  world.counts.remote.limit = 1;
  for (int i = 0; i < 5; ++i) world.put({"a@x", {"b@me.example", "c@z"}});
  world.start();
  world.run_until([&] { return world.count_logged("new msg") == 5; });
  world.run_until_quiet();
  EXPECT_EQ(world.orders[0].size(), 0U);
  EXPECT_EQ(world.orders[1].size(), 1U);
  world.report(Channel::remote, 0, "Kok\n");
  world.run_until([&] { return world.orders[1].size() == 2; });
}

TEST(Engine, RunsThreeHundredDeliveriesWithWideNumbers) {
  QueueWorld world;
  world.number_bytes = 2;
  world.counts.remote.limit = 300;
  wire::Envelope envelope{"a@x", {}};
  for (int i = 0; i < 400; ++i) envelope.recipients.push_back("r" + std::to_string(i) + "@z");
  const auto id = world.put(envelope);
  world.start();
  world.run_until([&] { return world.orders[1].size() == 300; });
  world.run_until_quiet();
  EXPECT_EQ(world.orders[1].size(), 300U);
  std::set<unsigned> numbers;
  for (const auto& order : world.orders[1]) numbers.insert(order.number);
  EXPECT_EQ(numbers.size(), 300U);
  EXPECT_TRUE(world.log().contains("status: local 0/10 remote 300/300\n"));
  world.answer = succeed;
  for (const unsigned number : numbers) world.report(Channel::remote, number, "Kok\n");
  world.run_until_logged("end msg " + number(id));
}

TEST(Engine, TimesOfRetriesOutliveARestart) {
  QueueWorld world;
  world.answer = defer;
  const auto id = world.put_preprocessed("a@x", "Tb@me.example\0"s, "Tc@z\0"s, 50);
  world.start();
  world.run_until([&] { return world.count_logged("deferral") == 2; });
  world.stop();
  EXPECT_EQ(QueueWorld::time_of(wire::local_path(id)), world.now - 50 + std::int64_t{17} * 17);
  EXPECT_EQ(QueueWorld::time_of(wire::remote_path(id)), world.now - 50 + std::int64_t{27} * 27);
  EXPECT_EQ(QueueWorld::time_of(wire::info_path(id)), world.now - 50);

  world.start();
  world.run_until_quiet();
  EXPECT_EQ(world.count_logged("starting"), 2U);
  world.now += 17 * 17 - 50;
  world.run_until_quiet();
  EXPECT_EQ(world.count_logged("starting"), 3U);
  world.now += 27 * 27 - 17 * 17;
  world.run_until_quiet();
  EXPECT_EQ(world.count_logged("to remote c@z"), 2U);
}

TEST(Engine, RestartGoesOnWhereItWas) {
  QueueWorld world;
  world.answer = succeed;
  const auto half = world.put_preprocessed("a@x", "Db@me.example\0Tc@me.example\0"s, "");
  const auto done = world.put_preprocessed("a@x", "Db@me.example\0"s, "Dc@z\0"s);
  const auto over = world.put_preprocessed("a@x", "", "");
  const auto bounced = world.put_preprocessed("a@x", "", "");
  QueueWorld::write(wire::bounce_path(bounced), "<c@z>:\nno\n\n");
  world.start();
  world.run_until([&] { return world.count_logged("end msg ") == 4; });
  world.run_until_quiet();
  EXPECT_EQ(world.count_logged("starting"), 1U);
  EXPECT_TRUE(world.log().contains("msg " + number(half) + " to local c@me.example\n"));
  EXPECT_TRUE(world.log().contains("end msg " + number(done) + "\n"));
  EXPECT_TRUE(world.log().contains("end msg " + number(over) + "\n"));
  EXPECT_TRUE(world.queued_message(1).contains("<c@z>:\nno\n\n---"));
  expect_empty_queue();
}

TEST(Engine, FiftyThousandRecipientsAreReadInPieces) {
  QueueWorld world;
  world.answer = succeed;
  wire::Envelope mailing{"a@x", {}};
  for (int i = 0; i < 50000; ++i) mailing.recipients.push_back("r" + std::to_string(i) + "@z");
  const auto id = world.put(mailing);
  world.counts.remote.limit = 255;
  world.start();
  world.run_until([&] { return world.orders[1].size() > 1000; });
  std::size_t bytes = 0;
  for (const auto& recipient : mailing.recipients) bytes += recipient.size() + 2;
  EXPECT_EQ(QueueWorld::read(wire::remote_path(id)).size(), bytes);
}

TEST(Engine, LongMailingDoesNotHoldUpALetter) {
  QueueWorld world;
  world.counts.remote.limit = 4;
  wire::Envelope mailing{"a@x", {}};
  for (int i = 0; i < 3000; ++i) mailing.recipients.push_back("r" + std::to_string(i) + "@z");
  world.put(mailing);
  world.answer = succeed;
  world.start();
  world.run_until([&] { return world.orders[1].size() > 100; });
  const auto letter = world.put({"a@x", {"b@y"}});
  world.pull_trigger();
  world.run_until_logged("end msg " + number(letter));
  EXPECT_LT(world.orders[1].size(), 1500U);
  world.run_until([&] { return world.count_logged("end msg") == 2; });
  EXPECT_EQ(world.orders[1].size(), 3001U);
}

TEST(Engine, BacklogForADeadHostDoesNotHoldUpFreshMail) {
  QueueWorld world;
  for (int i = 0; i < 200; ++i) world.put_preprocessed("a@x", "", "Tb@dead.example\0"s, 5000);
  // The dead host: its deliveries never end.
  world.answer = [](Channel /*channel*/, const wire::DeliveryOrder& order) {
    return order.recipient == "b@dead.example" ? ""s : "Kok\n"s;
  };
  world.start();
  world.run_until([&] { return world.orders[1].size() == most_retries(20); });
  for (int i = 0; i < 50; ++i) world.put({"a@x", {"c@alive.example"}});
  world.pull_trigger();
  world.run_until([&] { return world.count_logged("end msg") == 50; });
}

TEST(Engine, HundredsOfMessagesComeOutOnceEach) {
  QueueWorld world;
  world.answer = succeed;
  for (int i = 0; i < 300; ++i) world.put({"a@x", {"b" + std::to_string(i) + "@me.example"}});
  for (int i = 0; i < 300; ++i) {
    world.put_preprocessed("a@x", "Tc" + std::to_string(i) + "@me.example\0"s, "");
  }
  world.start();
  world.run_until([&] { return world.count_logged("end msg") == 600; });
  world.run_until_quiet();
  EXPECT_EQ(world.orders[0].size(), 600U);
  EXPECT_EQ(world.count_logged("warning"), 0U);
  expect_empty_queue();
}

}  // namespace
}  // namespace postern::send

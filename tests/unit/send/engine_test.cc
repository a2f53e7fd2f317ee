// qmail-send as a whole, in process: a real queue directory, everything around it played.
#include "send/engine.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <set>

#include "posix/files.h"
#include "posix/lock.h"
#include "unit/send/queue_world.h"
#include "wire/time_limits.h"

namespace postern::send {
namespace {

using namespace std::string_literals;
using test::QueueWorld;
namespace fs = std::filesystem;

std::string succeed(Channel /*channel*/, const wire::DeliveryOrder& /*order*/) {
  return "Kdid 1+0+0\n";
}
std::string defer(Channel /*channel*/, const wire::DeliveryOrder& /*order*/) {
  return "Znot now\n";
}
std::string refuse(Channel /*channel*/, const wire::DeliveryOrder& /*order*/) {
  return "Dno such user\n";
}

std::string number(wire::MessageId id) { return std::to_string(id); }

void expect_empty_queue() {
  for (const char* directory : {"mess", "intd", "todo", "info", "local", "remote", "bounce"}) {
    EXPECT_EQ(QueueWorld::count_files(directory), 0U) << directory;
  }
}

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

TEST(Engine, GivesUpAMessageThatIsTooOldAfterALastTry) {
  QueueWorld world;
  world.answer = defer;
  const auto id = world.put_preprocessed("a@x", "", "Tb@y\0"s, 604801);
  world.start();
  world.run_until_logged("end msg " + number(id));
  EXPECT_TRUE(world.log().contains(
      "delivery 1: failure: not_now/I'm_not_going_to_try_again;_this_message_has_been_in_the_"
      "queue_too_long./\n"));
  EXPECT_TRUE(world.queued_message(1).contains(
      "<b@y>:\nnot now\nI'm not going to try again; this message has been in the queue too "
      "long.\n\n--- Below this line is a copy"));
}

TEST(Engine, ReturnsWhatCannotBeDelivered) {
  QueueWorld world;
  world.answer = refuse;
  world.settings.rules.virtualdomains = control::HostMap({"d.org:joe"});
  const auto id = world.put({"a@x", {"Info@D.ORG", "c@z"}}, "Subject: s\n\nbody\n");
  world.start();
  world.run_until_logged("end msg " + number(id));
  world.run_until_quiet();
  expect_empty_queue();
  EXPECT_EQ(world.queued_envelope(1), "F\0Ta@x\0\0"s);
  const std::string bounce = world.queued_message(1);
  EXPECT_TRUE(bounce.starts_with("Date: "));
  EXPECT_TRUE(
      bounce.contains(" -0000\nFrom: MAILER-DAEMON@me.example\nTo: a@x\nSubject: failure notice\n\n"
                      "Hi. This is the qmail-send program at me.example.\n"));
  EXPECT_TRUE(bounce.contains("\n\n<Info@D.ORG>:\nno such user\n\n"));
  EXPECT_TRUE(bounce.contains("\n\n<c@z>:\nno such user\n\n"));
  EXPECT_TRUE(
      bounce.ends_with("--- Below this line is a copy of the message.\n\n"
                       "Return-Path: <a@x>\nSubject: s\n\nbody\n"));
  EXPECT_EQ(world.count_logged("bounce msg " + number(id) + " qp "), 1U);
}

TEST(Engine, BounceOfABounceGoesToThePostmaster) {
  QueueWorld world;
  world.answer = refuse;
  const auto id = world.put({"", {"c@z"}}, "the bounce\n");
  world.start();
  world.run_until_logged("end msg " + number(id));
  EXPECT_EQ(world.queued_envelope(1), "F#@[]\0Tpostmaster@me.example\0\0"s);
  EXPECT_TRUE(world.queued_message(1).contains(
      "I tried to deliver a bounce message to this address, but the bounce bounced!\n\n<c@z>:\n"));
  EXPECT_TRUE(world.queued_message(1).ends_with(
      "--- Below this line is the original bounce.\n\nReturn-Path: <>\nthe bounce\n"));
}

TEST(Engine, TripleBounceIsDiscarded) {
  QueueWorld world;
  world.answer = refuse;
  const auto id = world.put({"#@[]", {"c@z"}});
  world.start();
  world.run_until_logged("end msg " + number(id));
  EXPECT_EQ(world.count_logged("triple bounce: discarding bounce/" + number(id) + "\n"), 1U);
  EXPECT_EQ(world.queued_envelope(1), "");
  world.run_until_quiet();
  expect_empty_queue();
}

TEST(Engine, BounceOfAListMessageGoesToTheListItself) {
  QueueWorld world;
  world.answer = refuse;
  const auto id = world.put({"l-@h-@[]", {"b@d"}});
  world.start();
  world.run_until_logged("end msg " + number(id));
  EXPECT_EQ(world.queued_envelope(1), "F\0Tl-@h\0\0"s);
}

TEST(Engine, NoBounceIsForgottenWhenItCannotBeQueued) {
  QueueWorld world;
  world.answer = refuse;
  world.set_qmail_queue("exit 53");
  const auto id = world.put({"a@x", {"c@z"}});
  world.start();
  world.run_until_logged("warning: trouble injecting bounce message, will try later\n");
  EXPECT_TRUE(QueueWorld::exists(wire::bounce_path(id)));
  world.set_qmail_queue("exit 0");
  world.run_until_quiet();
  EXPECT_EQ(world.count_logged("end msg"), 0U);
  world.now += wire::system_failure_pause;
  world.run_until_logged("end msg " + number(id));
  world.run_until_quiet();
  expect_empty_queue();
}

TEST(Engine, SlowQmailQueueHoldsUpNoDelivery) {
  QueueWorld world;
  world.answer = [](Channel channel, const wire::DeliveryOrder& /*order*/) {
    return channel == Channel::remote ? "Dno\n"s : "Kdid\n"s;
  };
  world.set_qmail_queue("while [ ! -e go ]; do read -r nothing <fifo; done; exit 0");
  ASSERT_EQ(::mkfifo((world.home() + "/fifo").c_str(), 0600), 0);
  for (int i = 0; i < 20; ++i) world.put({"a@x", {"c@z"}});
  world.start();
  world.run_until([&] { return world.count_logged("failure: no/") == 20; });
  const auto id = world.put({"a@x", {"b@me.example"}});
  world.pull_trigger();
  world.run_until_logged("end msg " + number(id));
  EXPECT_EQ(world.count_logged("end msg "), 1U);
  QueueWorld::write(world.home() + "/go", "");
  world.run_until([&] {
    // Opened and closed again and again, until every script has noticed.
    const Fd opened(::open((world.home() + "/fifo").c_str(), O_WRONLY | O_NONBLOCK));
    return world.count_logged("end msg ") == 21;
  });
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

TEST(Engine, LeftoversOfACrashWhilePreprocessingAreMadeAfresh) {
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

TEST(Engine, RubbishInTodoIsWarnedOfAndLeftAloneForAWhile) {
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

TEST(Engine, AnEnvelopeWhoseTextIsGoneIsKeptAndLookedAtEveryHour) {
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

TEST(Engine, RubbishInRecipientFilesKeepsTheMessage) {
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

TEST(Engine, RefusalOfQmailCleanKeepsTheMessageInTodo) {
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

TEST(Engine, LossOfASpawnEndsIt) {
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

TEST(Engine, LossOfQmailCleanEndsIt) {
  QueueWorld world;
  world.start();
  world.close_clean();
  world.run_until_logged("alert: oh no! lost qmail-clean connection! dying...\n");
  world.stop();
}

TEST(Engine, SweepsMessagesThatWereNeverQueued) {
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
TEST(Engine, SweepsNothingThatIsStillBeingWritten) {
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

TEST(Engine, IsNotHeldUpByAFifoInThePlaceOfAText) {
  QueueWorld world;
  ASSERT_EQ(::mkfifo(wire::mess_path(23).c_str(), 0600), 0);
  QueueWorld::set_time(wire::mess_path(23), world.now - wire::debris_age - 1);
  world.start();
  world.run_until_quiet();
  EXPECT_TRUE(world.clean_orders.empty());
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

TEST(Engine, MessageRemovedByHandMayLeaveItsNumberToAnother) {
  QueueWorld world;
  world.answer = defer;
  const auto id = world.put({"a@x", {"b@y"}});
  world.start();
  world.run_until_logged("deferral: not_now/");
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

TEST(Engine, BounceOfAMessageWhoseFileHasGoneIsDiscarded) {
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

TEST(Engine, FailureThatCannotBeNotedIsNotDone) {
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

TEST(Engine, MarksThatComeTogetherGoIntoTheFilesOfTheirMessages) {
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

TEST(Engine, MarksGoIntoTheFileThatHasTheNameNow) {
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

TEST(Engine, MarkThatCannotBeWrittenIsWarnedOf) {
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

TEST(Engine, TimeThatCannotBeSavedIsWarnedOf) {
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

TEST(Engine, TodoThatCannotBeOpenedIsTriedAgainSoon) {
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

TEST(Engine, FailureThatIsNotNotedDurablyIsTakenBack) {
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

TEST(Engine, BounceWaitsWhenQmailQueueCannotBeStarted) {
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

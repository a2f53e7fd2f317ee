// qmail-send as a whole, in process: mail that goes back to its sender.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "unit/send/answers.h"
#include "unit/send/queue_world.h"
#include "wire/queue_names.h"
#include "wire/time_limits.h"

namespace postern::send {
namespace {

using namespace std::string_literals;
using test::defer;
using test::expect_empty_queue;
using test::number;
using test::QueueWorld;
using test::refuse;

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

}  // namespace
}  // namespace postern::send

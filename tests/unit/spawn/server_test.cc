// The loop of the spawns, with scripts in the place of qmail-remote.
#include "spawn/server.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>

#include "unit/spawn/spawn_fixture.h"

namespace postern::spawning {
namespace {

using namespace std::string_literals;
using ::testing::UnorderedElementsAre;

TEST_F(Spawn, SaysFirstHowManyDeliveriesItTakes) {
  start_remote("");
  EXPECT_EQ(limit_, "\x78") << "120 of conf-spawn";
  EXPECT_EQ(finish(), 0);
}

TEST_F(Spawn, SaysSoInTwoBytesWithWideNumbers) {
  start_remote("", 2);
  EXPECT_EQ(limit_, "\x3d\x01"s) << "317 deliveries fit into 1024 descriptors";
}

TEST(DeliveryLimit, IsWhatTheNumbersAndTheDescriptorsAllow) {
  EXPECT_EQ(delivery_limit(1, 20), wire::spawn_limit);
  EXPECT_EQ(delivery_limit(2, 20), 1U);
  EXPECT_EQ(delivery_limit(2, 1 << 20), 65535U);
}

TEST_F(Spawn, GivesTheMessageAndTheAddressesToQmailRemote) {
  start_remote("printf 'r\\0K%s %s %s: ' \"$@\"; cat; printf '\\0'");
  order(0, "joe@a@example.org");
  EXPECT_EQ(report(), "0 Kexample.org s@h joe@a@example.org: the message\n");
  EXPECT_EQ(finish(), 0);
}

TEST_F(Spawn, RunsDeliveriesSideBySide) {
  // The first ends when the second has run.
  ASSERT_EQ(::mkfifo("fifo", 0600), 0);
  start_remote(
      "case $3 in first*) cat fifo >/dev/null;; *) echo >fifo;; esac\n"
      "printf 'r\\0Kok\\0'");
  order(7, "first@h");
  order(119, "second@h");
  const std::vector<std::string> reports = {report(), report()};
  EXPECT_THAT(reports, UnorderedElementsAre("7 Kok", "119 Kok"));
}

TEST_F(Spawn, NumbersDeliveriesInTwoBytes) {
  start_remote("printf 'r\\0Kok\\0'", 2);
  order(300, "a@h");
  EXPECT_EQ(report(), "300 Kok");
}

TEST_F(Spawn, RefusesWrongOrdersWithoutRunningAnything) {
  start_remote("printf 'r\\0Kok\\0'");
  order(120, "a@h");
  EXPECT_EQ(report(), "120 ZInternal error: delnum too big. (#4.3.5)\n");
  order(1, "a@h", "../x");
  EXPECT_EQ(report(), "1 DInternal error: messid has nonnumerics. (#5.3.5)\n");
  order(1, "a");
  EXPECT_EQ(report(), "1 DSorry, address must include host name. (#5.1.3)\n");
  order(1, "a@h", "8/101");
  EXPECT_EQ(report(), "1 Zqmail-spawn unable to open message. (#4.3.0)\n");
  order(1, "a@h");
  EXPECT_EQ(report(), "1 Kok");
}

TEST_F(Spawn, RefusesANumberThatIsInUse) {
  ASSERT_EQ(::mkfifo("fifo", 0600), 0);
  start_remote("cat fifo >/dev/null; printf 'r\\0Kok\\0'");
  order(1, "a@h");
  order(1, "b@h");
  EXPECT_EQ(report(), "1 ZInternal error: delnum in use. (#4.3.5)\n");
  std::ofstream("fifo") << "go";
  EXPECT_EQ(report(), "1 Kok");
}

TEST_F(Spawn, TakesOrdersInAnyPieces) {
  start_remote("printf 'r\\0Kok\\0'");
  const std::string two = wire::format_order({1, "8/100", "", "a@h"}, 1) +
                          wire::format_order({2, "8/100", "", "b@h"}, 1);
  for (const char c : two) ASSERT_TRUE(write_all(orders_.get(), {&c, 1}));
  const std::vector<std::string> reports = {report(), report()};
  EXPECT_THAT(reports, UnorderedElementsAre("1 Kok", "2 Kok"));
}

TEST_F(Spawn, FinishesWhatRunsWhenTheOrdersEnd) {
  ASSERT_EQ(::mkfifo("fifo", 0600), 0);
  start_remote("cat fifo >/dev/null; printf 'r\\0Kok\\0'");
  order(5, "a@h");
  orders_.reset();
  std::ofstream("fifo") << "go";
  EXPECT_EQ(report(), "5 Kok");
  EXPECT_EQ(finish(), 0);
}

TEST_F(Spawn, WaitsForProcessesThatKeepTheOutputOpen) {
  ASSERT_EQ(::mkfifo("fifo", 0600), 0);
  start_remote("(cat fifo; printf 'Kfrom the background\\0') & printf 'r\\0'");
  order(5, "a@h");
  std::ofstream("fifo") << "";
  EXPECT_EQ(report(), "5 Kfrom the background");
}

TEST_F(Spawn, WaitsForAProcessThatHasClosedItsOutput) {
  ASSERT_EQ(::mkfifo("fifo", 0600), 0);
  start_remote("printf 'r\\0Kok\\0'; exec >/dev/null 2>&1; cat fifo; exit 111");
  order(5, "a@h");
  std::ofstream("fifo") << "go";
  EXPECT_EQ(report(), "5 ZUnable to run qmail-remote.\n");
}

TEST_F(Spawn, DefersWhenTheProgramCannotBeRun) {
  start([&] { return RemoteChannel({.home = here_.path(), .program = "no-such-program"}); });
  order(5, "a@h");
  EXPECT_EQ(report(), "5 ZUnable to run qmail-remote.\n");
}

TEST_F(Spawn, DoesNotBlockOnAQmailSendThatIsSlowToRead) {
  // 65536 bytes fit into the pipe; these are more, and all have been ordered before one is read.
  start_remote("printf 'r\\0K'; head -c 9000 /dev/zero | tr '\\0' x; printf '\\0'");
  for (unsigned number = 0; number < 20; ++number) order(number, "a@h");
  for (unsigned number = 0; number < 20; ++number) EXPECT_GT(report().size(), 9000U);
}

TEST_F(Spawn, KeepsABoundedPartOfEndlessOutput) {
  start_remote("head -c 3000000 /dev/zero");
  order(1, "a@h");
  EXPECT_EQ(report(), "1 Zqmail-remote produced too much output.\n");
}

TEST_F(Spawn, EndsQuietlyWhenQmailSendHasGone) {
  start_remote("printf 'r\\0Kok\\0'");
  order(1, "a@h");
  reports_.reset(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  EXPECT_EQ(finish(), 0);
}

TEST_F(Spawn, EndsWhenItsReportsGoNowhere) {
  start_remote("printf 'r\\0Kok\\0'");
  reports_.reset(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  order(1, "a@h");
  pollfd its_end_of_orders{orders_.get(), 0, 0};
  ASSERT_EQ(::poll(&its_end_of_orders, 1, 20000), 1);
  EXPECT_TRUE(its_end_of_orders.revents & POLLERR);
}

}  // namespace
}  // namespace postern::spawning

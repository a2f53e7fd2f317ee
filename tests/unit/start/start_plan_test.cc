#include "start/start_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "wire/delivery_order.h"

namespace postern::start {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Not;

const SuiteIds ids{.alias = 1,
                   .daemon = 2,
                   .log = 3,
                   .password = 4,
                   .queue = 5,
                   .remote = 6,
                   .send = 7,
                   .qmail = 100,
                   .nofiles = 101};

StartArguments parse(const std::vector<const char*>& words) {
  std::vector<char*> argv;
  argv.reserve(words.size());
  for (const char* word : words) argv.push_back(const_cast<char*>(word));
  return parse_start_arguments(argv);
}

class Plan : public ::testing::Test {
 protected:
  StartPlan plan(const StartArguments& arguments, std::size_t number_bytes = 1) {
    channels_ = make_channels(!arguments.logger.empty()).value();
    return plan_start(arguments, ids, channels_, {"PATH=/bin", "POSTERN_DELIVERY_NUMBER_BYTES=2"},
                      number_bytes);
  }
  static int source_of(const SpawnSpec& spec, int target) {
    const auto found = std::ranges::find(spec.fds, target, &FdMapping::to);
    return found == spec.fds.end() ? -1 : found->from;
  }
  Channels channels_;
};

TEST(StartArguments, AreADefaultDeliveryAndALogger) {
  EXPECT_EQ(parse({"qmail-start"}).default_delivery, "./Mailbox");
  EXPECT_EQ(parse({"qmail-start", "./Maildir/"}).default_delivery, "./Maildir/");
  EXPECT_EQ(parse({"qmail-start", ""}).default_delivery, "");
  EXPECT_TRUE(parse({"qmail-start", "./Maildir/"}).logger.empty());
  EXPECT_THAT(parse({"qmail-start", "./Maildir/", "splogger", "qmail"}).logger,
              ElementsAre("splogger", "qmail"));
}

TEST_F(Plan, StartsEachProgramAsItsUser) {
  const auto started = plan(parse({"qmail-start", "./Maildir/", "splogger", "qmail"}));
  ASSERT_EQ(started.children.size(), 4U);
  EXPECT_THAT(started.children[0].argv, ElementsAre("splogger", "qmail"));
  EXPECT_EQ(started.children[0].identity->uid, ids.log);
  EXPECT_EQ(started.children[0].identity->gid, ids.nofiles);
  EXPECT_THAT(started.children[1].argv, ElementsAre("qmail-lspawn", "./Maildir/"));
  EXPECT_FALSE(started.children[1].identity) << "qmail-lspawn stays root";
  EXPECT_THAT(started.children[2].argv, ElementsAre("qmail-rspawn"));
  EXPECT_EQ(started.children[2].identity->uid, ids.remote);
  EXPECT_THAT(started.children[3].argv, ElementsAre("qmail-clean"));
  EXPECT_EQ(started.children[3].identity->uid, ids.queue);
  EXPECT_THAT(started.send.argv, ElementsAre("qmail-send"));
  EXPECT_EQ(started.send.identity->uid, ids.send);
  for (const auto* spec : {&started.children[2], &started.children[3], &started.send}) {
    EXPECT_EQ(spec->identity->gid, ids.qmail);
    EXPECT_TRUE(spec->identity->groups.empty());
  }
  for (const auto& child : started.children) EXPECT_TRUE(child.search_path);
}

TEST_F(Plan, ConnectsQmailSendWithItsServersAndTheLogger) {
  const auto started = plan(parse({"qmail-start", "./Maildir/", "splogger"}));
  const SpawnSpec& send = started.send;
  EXPECT_EQ(source_of(send, 0), channels_.log.write.get());
  EXPECT_EQ(source_of(send, 1), channels_.lspawn.orders.write.get());
  EXPECT_EQ(source_of(send, 2), channels_.lspawn.reports.read.get());
  EXPECT_EQ(source_of(send, 3), channels_.rspawn.orders.write.get());
  EXPECT_EQ(source_of(send, 4), channels_.rspawn.reports.read.get());
  EXPECT_EQ(source_of(send, 5), channels_.clean.orders.write.get());
  EXPECT_EQ(source_of(send, 6), channels_.clean.reports.read.get());
  EXPECT_EQ(source_of(started.children[0], 0), channels_.log.read.get());
  const Channel* const channels[] = {&channels_.lspawn, &channels_.rspawn, &channels_.clean};
  for (std::size_t i = 0; i < 3; ++i) {
    const SpawnSpec& server = started.children[i + 1];
    EXPECT_EQ(source_of(server, 0), channels[i]->orders.read.get());
    EXPECT_EQ(source_of(server, 1), channels[i]->reports.write.get());
    EXPECT_EQ(source_of(server, 2), channels_.log.write.get());
  }
}

TEST_F(Plan, LogsToDescriptorOneWithoutALogger) {
  const auto started = plan(parse({"qmail-start", "./Maildir/"}));
  EXPECT_EQ(started.children.size(), 3U);
  EXPECT_EQ(source_of(started.send, 0), 1);
  EXPECT_EQ(source_of(started.children[0], 2), 1);
}

TEST_F(Plan, TellsQmailSendAndBothSpawnsAndNobodyElseOfWideNumbers) {
  const std::string wide = "POSTERN_DELIVERY_NUMBER_BYTES=2";
  const auto started = plan(parse({"qmail-start", "./Maildir/", "splogger"}), 2);
  EXPECT_THAT(*started.children[0].environment, Not(Contains(wide)));
  EXPECT_THAT(*started.children[1].environment, Contains(wide));
  EXPECT_THAT(*started.children[2].environment, Contains(wide));
  EXPECT_THAT(*started.children[3].environment, Not(Contains(wide)));
  EXPECT_THAT(*started.send.environment, Contains(wide));
  EXPECT_THAT(*started.send.environment, Contains("PATH=/bin"));
}

TEST_F(Plan, TakesAStrayVariableAboutWideNumbersAway) {
  const auto started = plan(parse({"qmail-start"}));
  for (const auto& child : started.children) {
    EXPECT_THAT(*child.environment, ElementsAre("PATH=/bin"));
  }
  EXPECT_THAT(*started.send.environment, ElementsAre("PATH=/bin"));
}

}  // namespace
}  // namespace postern::start

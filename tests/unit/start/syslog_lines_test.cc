#include "start/syslog_lines.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <syslog.h>

namespace postern::start {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::string_view stamp = "1048235800.000123";

SyslogMessage info(const std::string& rest) { return {LOG_INFO, std::string(stamp) + rest}; }

TEST(SyslogLines, StampsEveryLine) {
  SyslogLines lines;
  EXPECT_THAT(lines.feed("new msg 1\nend msg 1\nhalf", stamp),
              ElementsAre(info(" new msg 1"), info(" end msg 1")));
  EXPECT_THAT(lines.feed(" a line\n", stamp), ElementsAre(info(" half a line")));
  EXPECT_THAT(lines.finish(stamp), IsEmpty());
}

TEST(SyslogLines, GivesWarningsAndAlertsTheirPriority) {
  SyslogLines lines;
  EXPECT_THAT(lines.feed("warning: odd\nalert: help\na warning: no\n", stamp),
              ElementsAre(SyslogMessage{LOG_WARNING, std::string(stamp) + " warning: odd"},
                          SyslogMessage{LOG_ALERT, std::string(stamp) + " alert: help"},
                          info(" a warning: no")));
}

TEST(SyslogLines, CutsAfter799BytesAndSaysThatItGoesOn) {
  SyslogLines lines;
  const std::string full(799, 'x');
  EXPECT_THAT(lines.feed(full + "\n", stamp), ElementsAre(info(" " + full)));
  EXPECT_THAT(lines.feed(full + full + "y\nnext\n", stamp),
              ElementsAre(info(" " + full), info("+" + full), info("+y"), info(" next")));
}

TEST(SyslogLines, KeepsTheLinesPriorityWhereItIsCut) {
  SyslogLines lines;
  const auto messages = lines.feed("alert: " + std::string(1000, 'x') + "\n", stamp);
  ASSERT_EQ(messages.size(), 2U);
  EXPECT_EQ(messages[1].priority, LOG_ALERT);
}

TEST(SyslogLines, ShowsNoControlCharacters) {
  SyslogLines lines;
  EXPECT_THAT(lines.feed(std::string("a\tb\x1b[31m\x80\0c\n", 12), stamp),
              ElementsAre(info(" a?b?[31m??c")));
}

TEST(SyslogLines, LosesNoLastLineWithoutALineFeed) {
  SyslogLines lines;
  EXPECT_THAT(lines.feed("status: exiting", stamp), IsEmpty());
  EXPECT_THAT(lines.finish(stamp), ElementsAre(info(" status: exiting")));
}

TEST(SyslogLines, CountsMicrosecondsInSixDigits) {
  EXPECT_EQ(format_stamp(1048235800, 123), stamp);
  EXPECT_EQ(format_stamp(1, 999999), "1.999999");
}

}  // namespace
}  // namespace postern::start

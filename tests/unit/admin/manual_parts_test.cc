#include "admin/manual_parts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace postern::admin {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string page_with(const std::string& part) {
  return ".Sh BEFORE\n.\\\" generated: " + part + "\nstale\n.\\\" end of generated\n.Sh AFTER\n";
}

TEST(ManualParts, LeavesAPageWithoutPartsAsItIs) {
  for (const char* page : {"", "\n", ".Sh A\ntext\n", "no line end"}) {
    EXPECT_EQ(fill_page(page).value_or("error"), page);
  }
}

TEST(ManualParts, ReplacesWhatStandsBetweenTheMarksAndNothingElse) {
  const auto page = fill_page(page_with("control-files qmail-remote"));
  ASSERT_TRUE(page);
  EXPECT_TRUE(page->starts_with(".Sh BEFORE\n.\\\" generated: control-files qmail-remote\n.Bl "));
  EXPECT_TRUE(page->ends_with(".El\n.\\\" end of generated\n.Sh AFTER\n"));
  EXPECT_THAT(*page, Not(HasSubstr("stale")));
}

TEST(ManualParts, MadeTwiceIsTheSame) {
  const auto once = fill_page(page_with("control-table"));
  ASSERT_TRUE(once);
  EXPECT_EQ(fill_page(*once).value_or("error"), *once);
}

TEST(ManualParts, AProgramHasTheFilesItReadsAndMeWhereThatStandsInForOne) {
  const auto page = fill_page(page_with("control-files qmail-remote"));
  ASSERT_TRUE(page);
  EXPECT_THAT(*page, HasSubstr(".It Pa control/timeoutconnect\nHow long to wait for a connection "
                               "to be accepted.\nAbsent: 60 seconds.\n"));
  EXPECT_THAT(*page, HasSubstr(".It Pa control/me\n"));
  EXPECT_THAT(*page, Not(HasSubstr("databytes")));
}

TEST(ManualParts, TheTableNamesReadersAsReferences) {
  const auto page = fill_page(page_with("control-table"));
  ASSERT_TRUE(page);
  EXPECT_THAT(*page, HasSubstr("Read by\n.Xr qmail-smtpd 8\nand\n.Xr qmail-qmtpd 8 .\n"));
  EXPECT_THAT(*page, HasSubstr("Read by everything.\n"));
}

TEST(ManualParts, ASampleLineThatBeginsWithADotIsNoMacro) {
  const auto page = fill_page(page_with("control-table"));
  ASSERT_TRUE(page);
  EXPECT_THAT(*page, HasSubstr("\n\\&.example.com\n"));
  EXPECT_THAT(*page, Not(HasSubstr("\n.example.com\n")));
}

TEST(ManualParts, ExitCodesSayWhetherTheyArePermanent) {
  const auto page = fill_page(page_with("queue-exits"));
  ASSERT_TRUE(page);
  EXPECT_THAT(*page, HasSubstr(".It 11\nAn address of the envelope is longer than 1002 bytes.\n"
                               "Permanent:\n.Qq envelope address too long for qq (#5.1.3)\n"));
  EXPECT_THAT(*page, HasSubstr(".It 53\nThe disk is full, or could not be written or synced.\n"
                               "Temporary:\n.Qq qq write error or disk full (#4.3.0)\n"));
}

TEST(ManualParts, AMistakeIsNamedWithItsLine) {
  EXPECT_EQ(fill_page(page_with("control-files true")).error().what,
            "line 2: no control file is read by true");
  EXPECT_EQ(fill_page(page_with("weather")).error().what,
            "line 2: no part of a page is called \"weather\"");
  EXPECT_EQ(fill_page("a\nb\n.\\\" generated: queue-exits\n").error().what,
            "line 3: this part has no end");
}

}  // namespace
}  // namespace postern::admin

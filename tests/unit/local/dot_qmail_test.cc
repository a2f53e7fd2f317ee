#include "local/dot_qmail.h"

#include <gmock/gmock.h>

namespace postern::local {
namespace {

using Kind = Instruction::Kind;
using namespace std::string_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::string problem_of(std::string_view text, bool forward_only = false) {
  const auto parsed = parse_dot_qmail(text, forward_only);
  return parsed.problem ? std::to_string(parsed.problem->code) + " " + parsed.problem->text : "";
}

TEST(DotQmail, TellsTheFourKindsOfDeliveryApart) {
  const auto parsed = parse_dot_qmail(
      "# a comment\n./Maildir/\n./Mailbox\n/var/mail/joe\n| maildrop\n&joe@example.org\n"
      "bob@example.org\n9@example.org\n",
      false);
  EXPECT_FALSE(parsed.problem);
  EXPECT_THAT(
      parsed.instructions,
      ElementsAre(Instruction{Kind::maildir, "./Maildir/"}, Instruction{Kind::mbox, "./Mailbox"},
                  Instruction{Kind::mbox, "/var/mail/joe"}, Instruction{Kind::program, " maildrop"},
                  Instruction{Kind::forward, "joe@example.org"},
                  Instruction{Kind::forward, "bob@example.org"},
                  Instruction{Kind::forward, "9@example.org"}));
}

TEST(DotQmail, IgnoresBlanksAtLineEndsAndBlankLinesButTheFirst) {
  EXPECT_THAT(parse_dot_qmail("&joe \t\n\n \t\n./box\t", false).instructions,
              ElementsAre(Instruction{Kind::forward, "joe"}, Instruction{Kind::mbox, "./box"}));
}

TEST(DotQmail, DefersWhenTheFirstLineIsBlank) {
  constexpr auto text = "111 Uh-oh: first line of .qmail file is blank. (#4.2.1)";
  EXPECT_EQ(problem_of("\n./Maildir/\n"), text);
  EXPECT_EQ(problem_of(" \t\n./Maildir/\n"), text);
  EXPECT_EQ(problem_of(""), text) << "a default delivery that nobody has set loses no mail";
  EXPECT_EQ(problem_of("#\n\n./Maildir/\n"), "");
}

TEST(DotQmail, ForbidsMailboxesAndProgramsWhenForwardOnly) {
  EXPECT_EQ(problem_of("./box\n", true),
            "111 Uh-oh: .qmail has file delivery but has x bit set. (#4.7.0)");
  EXPECT_EQ(problem_of("/Maildir/\n", true),
            "111 Uh-oh: .qmail has file delivery but has x bit set. (#4.7.0)");
  EXPECT_EQ(problem_of("|true\n", true),
            "111 Uh-oh: .qmail has prog delivery but has x bit set. (#4.7.0)");
  EXPECT_EQ(problem_of("#\n&joe\n", true), "");
}

TEST(DotQmail, MeetsAProblemOnlyAfterTheLinesBeforeIt) {
  const auto parsed = parse_dot_qmail("./box\n+list\n&joe\n|true\n&bob\n", false);
  EXPECT_TRUE(parsed.problem);
  EXPECT_THAT(parsed.instructions,
              ElementsAre(Instruction{Kind::mbox, "./box"}, Instruction{Kind::forward, "joe"}));
}

TEST(DotQmail, IgnoresOtherPlusLines) {
  const auto parsed = parse_dot_qmail("+lists\n+ list\n+\n./box\n", false);
  EXPECT_FALSE(parsed.problem);
  EXPECT_THAT(parsed.instructions, ElementsAre(Instruction{Kind::mbox, "./box"}));
}

TEST(DotQmail, RefusesALineWithANul) {
  EXPECT_EQ(problem_of("&joe\0@example.org\n"s),
            "111 Uh-oh: .qmail file has a line with a NUL. (#4.2.1)");
  EXPECT_EQ(problem_of("#\0\n&joe\n"s), "");
  EXPECT_EQ(problem_of("\0"s), "111 Uh-oh: .qmail file has a line with a NUL. (#4.2.1)");
}

TEST(DotQmail, OfCommentsAloneDoesNothing) {
  EXPECT_FALSE(parse_dot_qmail("#", false).problem);
  EXPECT_THAT(parse_dot_qmail("#", false).instructions, IsEmpty());
}

TEST(DotQmail, TakesALineOfAMegabyte) {
  const auto parsed = parse_dot_qmail(std::string(1 << 20, 'a'), false);
  EXPECT_EQ(parsed.instructions.at(0).text.size(), 1U << 20);
}

}  // namespace
}  // namespace postern::local

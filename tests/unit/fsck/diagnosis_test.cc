#include "fsck/diagnosis.h"

#include <gtest/gtest.h>

#include "wire/time_limits.h"

namespace postern::fsck {
namespace {

constexpr std::int64_t now = 1700000000;
constexpr uid_t qmailq = 71;
constexpr uid_t qmails = 72;

// A queue, file by file; whatever is not said of a file is right.
class Diagnosing : public ::testing::Test {
 protected:
  QueueFile& put(Kind kind, MessageId number) {
    auto& file = snapshot_.messages[number].files[static_cast<std::size_t>(kind)];
    file = QueueFile{.kind = kind,
                     .path = place_of(kind, number, 23),
                     .number = number,
                     .inode = kind == Kind::mess ? number : next_inode_++,
                     .mode = facts_of(kind).mode,
                     .uid = facts_of(kind).of_send ? qmails : qmailq,
                     .read_at = now};
    return *file;
  }
  void put_all(MessageId number, std::initializer_list<Kind> kinds) {
    for (const Kind kind : kinds) put(kind, number);
  }
  Diagnosis diagnose(MessageId split = 23) {
    return fsck::diagnose(snapshot_, {split, qmailq, qmails, now});
  }
  // The one thing that is wrong.
  std::string finding() {
    const auto found = diagnose();
    EXPECT_EQ(found.findings.size(), 1U);
    return found.findings.empty() ? "" : found.findings.front().what;
  }
  Snapshot snapshot_;
  std::uint64_t next_inode_ = 1000000;
};

TEST_F(Diagnosing, HasNothingAgainstEveryStateOfTheQueue) {
  put_all(1, {Kind::mess});                                                     // S2
  put_all(2, {Kind::mess, Kind::intd});                                         // S3
  put_all(3, {Kind::mess, Kind::intd, Kind::todo});                             // S4
  put_all(4, {Kind::mess, Kind::todo, Kind::info, Kind::local, Kind::bounce});  // S4
  put_all(5, {Kind::mess, Kind::info, Kind::local});                            // S5
  put_all(6, {Kind::mess, Kind::info, Kind::remote, Kind::bounce});             // S5
  put_all(7, {Kind::mess, Kind::info, Kind::bounce});                           // S5
  const auto found = diagnose();
  EXPECT_EQ(found.findings.size(), 0U);
  EXPECT_EQ(found.messages, 7U);
  EXPECT_EQ(found.kept, 7U);
}

TEST_F(Diagnosing, GivesACopiedMessageItsNewNumberWithAllItsFiles) {
  put_all(100, {Kind::mess, Kind::info, Kind::local, Kind::bounce});
  snapshot_.messages[100].files[0]->inode = 2345;
  const auto found = diagnose();
  ASSERT_EQ(found.findings.size(), 1U);
  EXPECT_EQ(
      found.findings[0].what,
      "message 100: its text is file number 2345: the queue was copied, and new mail could get "
      "the number 100");
  EXPECT_EQ(found.findings[0].mend, "becomes message 2345");
  std::string moves;
  for (const auto& move : found.moves)
    moves += move.path + ">" + format_passage(move.passage) + " ";
  EXPECT_EQ(moves,
            "mess/8/100>mess.100.2345 info/8/100>info.100.2345 local/8/100>local.100.2345 "
            "bounce/100>bounce.100.2345 ");
}

TEST_F(Diagnosing, MovesFilesOfAnotherSplitAndOfABigTodo) {
  put_all(100, {Kind::mess, Kind::todo});
  snapshot_.messages[100].files[0]->path = "mess/0/100";
  snapshot_.messages[100].files[1]->path = "todo/8/100";
  const auto found = diagnose();
  ASSERT_EQ(found.findings.size(), 1U);
  EXPECT_EQ(found.findings[0].what,
            "message 100: in a directory where nothing looks for it: mess/0/100 todo/8/100");
  EXPECT_EQ(found.moves.size(), 2U);
  EXPECT_EQ(diagnose(5).moves.size(), 1U) << "mess/0 is right where there are 5 directories";
}

TEST_F(Diagnosing, SaysWhichDirectoriesAreTooMany) {
  snapshot_.parts[static_cast<std::size_t>(Kind::mess)] = {0, 22, 23, 24};
  snapshot_.parts[static_cast<std::size_t>(Kind::todo)] = {0};
  const auto found = diagnose();
  ASSERT_EQ(found.findings.size(), 2U);
  EXPECT_EQ(found.findings[0].what,
            "mess: 2 directories more than the split of 23 has: nothing looks into them");
  EXPECT_EQ(found.findings[1].what,
            "todo: 1 directories more than the split of 0 has: nothing looks into them");
  EXPECT_EQ(found.emptied, (std::vector<std::string>{"mess/23", "mess/24", "todo/0"}));
}

TEST_F(Diagnosing, SetsAsideWhatHasNoText) {
  put_all(100, {Kind::info, Kind::local});
  const auto found = diagnose();
  ASSERT_EQ(found.findings.size(), 1U);
  EXPECT_EQ(found.findings[0].what,
            "message 100: there is no text, mess/100, for info/100, local/100: nothing can be "
            "delivered");
  EXPECT_EQ(found.findings[0].mend, "set aside: set-aside/100");
  ASSERT_EQ(found.asides.size(), 1U);
  EXPECT_EQ(found.asides[0].files.size(), 2U);
  EXPECT_EQ(found.kept, 0U);
}

TEST_F(Diagnosing, SetsAsideATextWhoseEnvelopeIsNotThere) {
  put_all(1, {Kind::mess, Kind::local});
  EXPECT_EQ(finding(), "message 1: neither todo/1 nor info/1: the sender is not known");
  snapshot_ = {};
  put_all(1, {Kind::mess, Kind::info});
  EXPECT_EQ(finding(),
            "message 1: neither local/1 nor remote/1: everybody has it, or they were not copied; "
            "qmail-send would remove it");
}

TEST_F(Diagnosing, SetsAsideAnEnvelopeThatMakesNoSense) {
  put_all(1, {Kind::mess, Kind::intd});
  put(Kind::todo, 1).fault = "cut short";
  EXPECT_EQ(finding(), "message 1: todo/1: cut short: not known for whom it is");
  snapshot_ = {};
  put_all(1, {Kind::mess, Kind::local});
  put(Kind::info, 1).fault = "no sender";
  EXPECT_EQ(finding(), "message 1: info/1: no sender");
  snapshot_ = {};
  put_all(1, {Kind::mess, Kind::info});
  put(Kind::remote, 1).fault = "unknown record type";
  EXPECT_EQ(finding(), "message 1: remote/1: unknown record type: not known for whom it is");
}

TEST_F(Diagnosing, LeavesATextThatMayStillBeWrittenAlone) {
  put(Kind::mess, 1).read_at = now - wire::debris_age;
  EXPECT_EQ(diagnose().findings.size(), 0U);
  put(Kind::mess, 1).read_at = now - wire::debris_age - 1;
  EXPECT_EQ(
      finding(),
      "message 1: neither todo/1 nor info/1: never accepted, or not wholly copied; qmail-send "
      "would remove it");
  put(Kind::mess, 1).inode = 2;  // nobody writes to a file of another number
  EXPECT_EQ(diagnose().asides.size(), 1U);
}

TEST_F(Diagnosing, GivesATextOfTwoNamesToTheMessageOfItsNumber) {
  put_all(100, {Kind::mess, Kind::todo});
  put_all(200, {Kind::mess, Kind::todo});
  snapshot_.messages[100].files[0]->inode = 200;
  EXPECT_EQ(finding(), "message 100: its text is also that of message 200");
}

TEST_F(Diagnosing, SetsAsideFurtherFilesOfOneNumber) {
  put_all(100, {Kind::mess, Kind::todo});
  snapshot_.messages[100].doubles.push_back(
      {.kind = Kind::mess, .path = "mess/0/100", .number = 100});
  const auto found = diagnose();
  ASSERT_EQ(found.findings.size(), 1U);
  EXPECT_EQ(found.findings[0].what, "message 100: other files bear the same number: mess/0/100");
  ASSERT_EQ(found.asides.size(), 1U);
  EXPECT_EQ(found.asides[0].files[0].path, "mess/0/100");
  EXPECT_EQ(found.kept, 1U);
}

TEST_F(Diagnosing, SetsOwnersAndModesRight) {
  put_all(1, {Kind::mess, Kind::todo});
  put(Kind::mess, 1).uid = 0;
  EXPECT_EQ(finding(), "mess/1/1: belongs to user 0, not to qmailq");
  put(Kind::mess, 1).mode = 0600;
  EXPECT_EQ(finding(), "mess/1/1: its mode is 0600, not 0644");
  const auto found = diagnose();
  ASSERT_EQ(found.repossessions.size(), 1U);
  EXPECT_EQ(found.repossessions[0].mode, 0644U);
  EXPECT_EQ(found.repossessions[0].uid, qmailq);
}

TEST_F(Diagnosing, DoesNotTouchTheOwnerOfAFileWithAnotherName) {
  put_all(1, {Kind::mess, Kind::todo, Kind::intd});
  auto& message = snapshot_.messages[1];
  for (const std::size_t i : {1U, 2U}) {
    message.files[i]->uid = 0;
    message.files[i]->links = 2;
    message.files[i]->inode = 50;
  }
  EXPECT_EQ(diagnose().repossessions.size(), 2U) << "todo and intd are one file";
  message.files[2]->inode = 51;
  const auto found = diagnose();
  EXPECT_EQ(found.repossessions.size(), 0U);
  ASSERT_EQ(found.findings.size(), 2U);
  EXPECT_EQ(
      found.findings[0].what,
      "todo/1: belongs to user 0, not to qmailq; it has another name, so nothing was changed");
  EXPECT_EQ(found.findings[0].mend, "");
}

TEST_F(Diagnosing, NamesWhatDoesNotBelongInAQueue) {
  snapshot_.strays = {"mess/8/core"};
  EXPECT_EQ(finding(), "mess/8/core: does not belong in a queue");
  EXPECT_EQ(diagnose().strays.size(), 1U);
}

TEST(Passage, IsReadAsItWasWritten) {
  const Passage passage{Kind::remote, 100, 18446744073709551615U};
  EXPECT_EQ(format_passage(passage), "remote.100.18446744073709551615");
  EXPECT_EQ(parse_passage(format_passage(passage)), passage);
  for (const char* name : {"", "remote", "remote.100", "remote.100.", "remote.0100.5", "pid.1.2",
                           "remote.1.2.3", "remote.1.18446744073709551616"}) {
    EXPECT_FALSE(parse_passage(name)) << name;
  }
}

}  // namespace
}  // namespace postern::fsck

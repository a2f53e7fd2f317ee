// The readers that take files and pipes in pieces: whatever the pieces, the result is the same.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "send/recipient_reader.h"
#include "send/todo_parser.h"
#include "wire/report_reader.h"

namespace postern::send {
namespace {

using namespace std::string_literals;

struct ParsedTodo {
  std::vector<std::string> recipients;
  TodoParser parser;
  bool good = true;
};

ParsedTodo parse_todo_in_pieces(const std::string& bytes, std::size_t piece) {
  ParsedTodo result;
  for (std::size_t i = 0; i < bytes.size() && result.good; i += piece) {
    result.good = result.parser.feed(bytes.substr(i, piece), [&](std::string_view recipient) {
      result.recipients.emplace_back(recipient);
    });
  }
  result.good = result.good && result.parser.finish();
  return result;
}

TEST(TodoParser, ReadsATodoFileInPiecesOfAnySize) {
  const std::string bytes = "u1000\0p4711\0Fa@x\0Tb@y\0Tc@z\0"s;
  for (std::size_t piece = 1; piece <= bytes.size(); ++piece) {
    const auto todo = parse_todo_in_pieces(bytes, piece);
    ASSERT_TRUE(todo.good);
    EXPECT_EQ(todo.parser.uid(), 1000U);
    EXPECT_EQ(todo.parser.pid(), 4711U);
    EXPECT_EQ(todo.parser.sender(), "a@x");
    EXPECT_EQ(todo.recipients, (std::vector<std::string>{"b@y", "c@z"}));
  }
}

TEST(TodoParser, TakesAnEmptySenderAndNoRecipients) {
  const auto todo = parse_todo_in_pieces("u0\0p1\0F\0"s, 100);
  ASSERT_TRUE(todo.good);
  EXPECT_EQ(todo.parser.sender(), "");
  EXPECT_TRUE(todo.recipients.empty());
}

TEST(TodoParser, TellsRubbishFromAFileThatIsCutShort) {
  using Problem = TodoParser::Problem;
  const std::pair<std::string, Problem> cases[] = {
      {"u1000\0p47"s, Problem::cut_short},
      {"u1\0p2\0Tb@y\0"s, Problem::cut_short},
      {""s, Problem::cut_short},
      {"u1\0Xa\0"s, Problem::unknown_record},
      {"ux\0p2\0Fa\0"s, Problem::unknown_record},
      {"\0"s, Problem::unknown_record},
      {"u1\0p1\0F"s + std::string(100000, 'a'), Problem::unknown_record},
  };
  for (const auto& [bytes, problem] : cases) {
    for (const std::size_t piece : {1U, 5U, 200000U}) {
      const auto todo = parse_todo_in_pieces(bytes, piece);
      EXPECT_FALSE(todo.good);
      EXPECT_EQ(todo.parser.problem(), problem) << bytes.substr(0, 20);
    }
  }
}

TEST(TodoParser, TakesTheLongestAddressQmailQueueWrites) {
  const std::string longest(wire::most_address_bytes, 'a');
  EXPECT_TRUE(parse_todo_in_pieces("u1\0p1\0F"s + longest + "\0"s, 7).good);
  EXPECT_FALSE(parse_todo_in_pieces("u1\0p1\0F"s + longest + "a\0"s, 7).good);
}

// All undone recipients, fed as the reader asks; nothing when it reported an error.
std::optional<std::vector<RecipientReader::Recipient>> read_recipients(const std::string& bytes,
                                                                       std::size_t piece) {
  RecipientReader reader;
  std::vector<RecipientReader::Recipient> recipients;
  std::size_t fed = 0;
  for (;;) {
    auto next = reader.next();
    if (!next) return std::nullopt;
    if (*next) {
      recipients.push_back(std::move(**next));
    } else if (reader.at_end()) {
      return recipients;
    } else {
      const std::string part = bytes.substr(fed, piece);
      fed += part.size();
      reader.feed(part);
      if (part.size() < piece) reader.end();
    }
  }
}

TEST(RecipientReader, SkipsWhoIsDoneAndKeepsOffsets) {
  const std::string bytes = "Tb@y\0Dc@z\0Td@longer.example\0Te@y\0De@z\0"s;
  for (std::size_t piece = 1; piece <= bytes.size() + 1; ++piece) {
    const auto recipients = read_recipients(bytes, piece);
    ASSERT_TRUE(recipients);
    ASSERT_EQ(recipients->size(), 3U);
    EXPECT_EQ(recipients->at(0).address, "b@y");
    EXPECT_EQ(recipients->at(0).offset, 0U);
    EXPECT_EQ(recipients->at(1).address, "d@longer.example");
    EXPECT_EQ(recipients->at(1).offset, 10U);
    EXPECT_EQ(recipients->at(2).offset, 28U);
  }
}

TEST(RecipientReader, KnowsTheEndWithTheLastRecipient) {
  RecipientReader reader;
  reader.feed("Tb@y\0"s);
  reader.end();
  EXPECT_FALSE(reader.at_end());
  EXPECT_TRUE(reader.next()->has_value());
  EXPECT_TRUE(reader.at_end());
}

TEST(RecipientReader, RefusesRubbish) {
  for (const std::string& bytes :
       {"Xb@y\0"s, "Tb@y\0Tc@"s, "\0"s, "T"s + std::string(400000, 'x')}) {
    for (const std::size_t piece : {3U, 8192U}) {
      EXPECT_FALSE(read_recipients(bytes, piece)) << bytes.substr(0, 10);
    }
  }
}

std::vector<wire::DeliveryReport> read_reports(const std::string& bytes, std::size_t piece,
                                               std::size_t number_bytes) {
  wire::ReportReader reader(number_bytes);
  std::vector<wire::DeliveryReport> reports;
  for (std::size_t i = 0; i < bytes.size(); i += piece) {
    for (auto& report : reader.feed(bytes.substr(i, piece))) reports.push_back(std::move(report));
  }
  return reports;
}

TEST(ReportReader, ReadsReportsInPiecesOfAnySize) {
  const std::string narrow = "\0Kdid 1+0+0\n\0\7Zlater\n\0\0D\0"s;
  const std::string wide = "\0\0Kdid 1+0+0\n\0\7\1Zlater\n\0\0\0D\0"s;
  for (std::size_t piece = 1; piece <= wide.size(); ++piece) {
    EXPECT_EQ(read_reports(narrow, piece, 1),
              (std::vector<wire::DeliveryReport>{{0, "Kdid 1+0+0\n"}, {7, "Zlater\n"}, {0, "D"}}));
    EXPECT_EQ(read_reports(wide, piece, 2), (std::vector<wire::DeliveryReport>{
                                                {0, "Kdid 1+0+0\n"}, {263, "Zlater\n"}, {0, "D"}}));
  }
}

TEST(ReportReader, ReadsAReportWithoutTextAndIsInStepAfterIt) {
  EXPECT_EQ(read_reports("\3\0\4Kok\0"s, 100, 1),
            (std::vector<wire::DeliveryReport>{{3, ""}, {4, "Kok"}}));
}

TEST(ReportReader, KeepsNoMoreOfAReportThanItsLimit) {
  const auto reports = read_reports("\1D"s + std::string(1'000'000, 'x') + "\0\2K\0"s, 4096, 1);
  ASSERT_EQ(reports.size(), 2U);
  EXPECT_EQ(reports[0].text.size(), wire::most_report_bytes);
  EXPECT_EQ(reports[1], (wire::DeliveryReport{2, "K"}));
}

}  // namespace
}  // namespace postern::send

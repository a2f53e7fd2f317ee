#include "smtpd/data_decoder.h"

#include <gtest/gtest.h>

namespace postern::smtpd {
namespace {

using namespace std::string_literals;
using State = DataDecoder::State;

struct Outcome {
  State state = State::unfinished;
  std::string message;
  std::size_t bytes = 0;
  bool operator==(const Outcome&) const = default;
};

// Decodes pieces one after another, as they come from the network.
Outcome decode(std::initializer_list<std::string_view> pieces) {
  DataDecoder decoder;
  Outcome outcome;
  for (const auto piece : pieces) {
    if (outcome.state != State::unfinished) break;
    const auto taken = decoder.feed(piece, outcome.message);
    outcome.state = taken.state;
    outcome.bytes += taken.bytes;
  }
  return outcome;
}

Outcome decode_byte_by_byte(std::string_view input) {
  DataDecoder decoder;
  Outcome outcome;
  while (outcome.state == State::unfinished && outcome.bytes < input.size()) {
    const auto taken = decoder.feed(input.substr(outcome.bytes, 1), outcome.message);
    outcome.state = taken.state;
    outcome.bytes += taken.bytes;
  }
  return outcome;
}

// What RFC 5321 4.5.2 says, by searching in the whole text instead of stepping through it.
State expected_state(std::string_view input, std::size_t& end) {
  const std::string text = "\r\n" + std::string(input);
  end = text.find("\r\n.\r\n");
  for (std::size_t i = text.find('\n'); i != std::string::npos; i = text.find('\n', i + 1)) {
    if (text[i - 1] != '\r' && (end == std::string::npos || i < end)) return State::bare_lf;
  }
  return end == std::string::npos ? State::unfinished : State::complete;
}

std::string expected_message(std::string_view input, std::size_t end) {
  std::string message;
  std::string_view lines = input.substr(0, end);
  while (!lines.empty()) {
    std::string_view line = lines.substr(0, lines.find("\r\n"));
    lines.remove_prefix(line.size() + 2);
    // qmail keeps the dot of a line that begins with dot CR, and so do we.
    if (line.starts_with('.') && !line.starts_with(".\r")) line.remove_prefix(1);
    message.append(line).append("\n");
  }
  return message;
}

void check_text(const std::string& input) {
  const Outcome whole = decode({input});
  std::size_t end = 0;
  ASSERT_EQ(whole.state, expected_state(input, end)) << testing::PrintToString(input);
  if (whole.state == State::complete) {
    ASSERT_EQ(whole.bytes, end + 3) << testing::PrintToString(input);
    ASSERT_EQ(whole.message, expected_message(input, end)) << testing::PrintToString(input);
  }
  ASSERT_EQ(decode_byte_by_byte(input), whole) << testing::PrintToString(input);
}

TEST(DataDecoder, AgreesWithTheRfcOnEveryShortTextOfTheBytesThatMatter) {
  constexpr std::string_view alphabet("\r\n.a\0", 5);
  for (std::size_t length = 0; length <= 7; ++length) {
    std::string input(length, alphabet.front());
    std::vector<std::size_t> digits(length, 0);
    for (std::size_t i = 0; i < length;) {
      check_text(input);
      for (i = 0; i < length && ++digits[i] == alphabet.size(); ++i) digits[i] = 0;
      for (std::size_t j = 0; j < length; ++j) input[j] = alphabet[digits[j]];
    }
  }
}

TEST(DataDecoder, TakesNoSmugglingEndingForTheEndWhereverItIsCut) {
  const std::string before = "Subject: x\r\n\r\ntext";
  const std::string hidden = "MAIL FROM:<evil@example.org>\r\n";
  for (const auto& ending :
       {"\n.\n"s, "\n.\r\n"s, "\r\n.\n"s, "\n.\r"s, "\r.\n"s, "\r\n\n.\r\n"s, "\r.\r\n.\n"s}) {
    const std::string input = before + ending + hidden + "\r\n.\r\n";
    for (std::size_t cut = 0; cut <= input.size(); ++cut) {
      const auto view = std::string_view(input);
      EXPECT_EQ(decode({view.substr(0, cut), view.substr(cut)}).state, State::bare_lf)
          << testing::PrintToString(ending) << " cut at " << cut;
    }
  }
  for (const auto& ending : {"\r.\r"s, "\r.\r\n"s, "\r\n.\r"s, "\r\n.\0\r\n"s, "\r\n\0.\r\n"s,
                             "\r\n.\r\0\r\n"s, "\0\r.\r\0"s, "\r\n..\r\n"s, "\r\r\n.\r\r\n"s}) {
    const std::string input = before + ending + hidden + ".\r\n";
    for (std::size_t cut = 0; cut <= input.size(); ++cut) {
      const auto view = std::string_view(input);
      const Outcome outcome = decode({view.substr(0, cut), view.substr(cut)});
      EXPECT_EQ(outcome.state, State::complete);
      EXPECT_EQ(outcome.bytes, input.size()) << testing::PrintToString(ending);
      EXPECT_TRUE(outcome.message.contains("MAIL FROM:<evil@example.org>\n"));
    }
  }
}

TEST(DataDecoder, LeavesWhatFollowsTheMessage) {
  const Outcome outcome = decode({"a\r\n.\r\nQUIT\r\n"});
  EXPECT_EQ(outcome.bytes, 6U);
  EXPECT_EQ(outcome.message, "a\n");
  EXPECT_EQ(decode({".\r\nQUIT"}).message, "");
}

TEST(DataDecoder, RemovesOneDotAndKeepsOtherBytes) {
  EXPECT_EQ(decode({"..\r\n.a\r\n...\r\n.\r\n"}).message, ".\na\n..\n");
  EXPECT_EQ(decode({"a\rb\r\r\n.\rc\r\n.\r\r\n\xff\0\r\n.\r\n"s}).message,
            "a\rb\r\n.\rc\n.\r\n\xff\0\n"s);
}

TEST(DataDecoder, GrowsTheMessageByNoMoreThanItsInput) {
  std::string message;
  DataDecoder decoder;
  for (int i = 0; i < 1000; ++i) decoder.feed("\r\n.\r", message);
  EXPECT_LE(message.size(), 4002U);
}

bool loops(const std::string& message) {
  HopCounter whole;
  whole.feed(message);
  HopCounter bytewise;
  for (std::size_t i = 0; i < message.size(); ++i) bytewise.feed(message.substr(i, 1));
  EXPECT_EQ(whole.looping(), bytewise.looping());
  return whole.looping();
}

std::string repeat(std::string_view text, int times) {
  std::string result;
  for (int i = 0; i < times; ++i) result += text;
  return result;
}

TEST(HopCounter, CountsReceivedAndDeliveredInAnyCase) {
  EXPECT_TRUE(loops(repeat("Received: x\n", 50) + repeat("DELIVERED-TO: y\n", 50)));
  EXPECT_TRUE(loops(repeat("receivedish\n", 100)));
  EXPECT_FALSE(loops(repeat("Received: x\n", 99) + "Receive: x\nDelivere\n X-Received: x\n"));
  EXPECT_TRUE(loops(repeat("X: received\n", 300) + repeat("rEcEiVeD\n", 100)));
}

TEST(HopCounter, LooksAtTheHeaderOnly) {
  EXPECT_FALSE(loops(repeat("Received: x\n", 99) + "\n" + repeat("Received: x\n", 99)));
  EXPECT_FALSE(loops("\n" + repeat("Received: x\n", 200)));
  EXPECT_FALSE(loops(std::string(1 << 20, 'r')));
}

}  // namespace
}  // namespace postern::smtpd

#include "remote/body.h"

#include <gtest/gtest.h>

#include <random>

namespace postern::remote {
namespace {

using namespace std::string_literals;

std::string encode(std::string_view text) {
  BodyEncoder encoder;
  std::string out;
  encoder.encode(text, out);
  return out;
}

TEST(BodyEncoder, EndsLinesWithCrLf) {
  EXPECT_EQ(encode("a\n\nb\n"), "a\r\n\r\nb\r\n");
  EXPECT_EQ(encode(""), "");
}

TEST(BodyEncoder, FoldsALineEndThatIsCrLfAlready) {
  EXPECT_EQ(encode("a\r\nb\n\r\n"), "a\r\nb\r\n\r\n");
}

TEST(BodyEncoder, DoublesADotAtTheBeginOfALine) {
  EXPECT_EQ(encode(".\n..\n.a\na.\n"), "..\r\n...\r\n..a\r\na.\r\n");
  EXPECT_EQ(encode(".\r\n"), "..\r\n");
}

TEST(BodyEncoder, SendsABareCrAsABlank) {
  EXPECT_EQ(encode("a\rb\n"), "a b\r\n");
  EXPECT_EQ(encode("a\r\r\nb\n"), "a \r\nb\r\n");
  EXPECT_EQ(encode("\r.\r\n"), " .\r\n");
  EXPECT_EQ(encode("a\n\r.\rQUIT\n"), "a\r\n . QUIT\r\n");
}

TEST(BodyEncoder, LeavesNulAnd8BitAlone) {
  EXPECT_EQ(encode("a\0b\xff\xc3\xa4\n"s), "a\0b\xff\xc3\xa4\r\n"s);
}

TEST(BodyEncoder, KnowsAPartialLine) {
  for (const auto& [text, whole] : {std::pair{""s, true},
                                    {"a\n"s, true},
                                    {"a\r\n"s, true},
                                    {"a"s, false},
                                    {"a\r"s, false},
                                    {"\r"s, false},
                                    {"a\n."s, false},
                                    {"a\n\r"s, false}}) {
    BodyEncoder encoder;
    std::string out;
    encoder.encode(text, out);
    EXPECT_EQ(encoder.at_line_start(), whole) << text;
  }
}

// Every way a receiver has been known to split lines.
bool has_lone_dot(const std::string& wire) {
  const std::string text = "\n" + wire;
  const auto ends_line = [](char c) { return c == '\r' || c == '\n'; };
  for (std::size_t i = 1; i + 1 < text.size(); ++i) {
    if (text[i] == '.' && ends_line(text[i - 1]) && ends_line(text[i + 1])) return true;
  }
  return false;
}

bool is_only_crlf(const std::string& wire) {
  for (std::size_t i = 0; i < wire.size(); ++i) {
    if (wire[i] == '\n' && (i == 0 || wire[i - 1] != '\r')) return false;
    if (wire[i] == '\r' && (i + 1 == wire.size() || wire[i + 1] != '\n')) return false;
  }
  return true;
}

TEST(BodyEncoder, NeverLetsAnyReceiverSeeTheEndEarly) {
  const std::string alphabet = "\r\n.a";
  // All texts of up to six of these bytes.
  for (std::size_t length = 0; length <= 6; ++length) {
    for (std::size_t number = 0; number < (std::size_t{1} << (2 * length)); ++number) {
      std::string text;
      for (std::size_t i = 0; i < length; ++i) text += alphabet[number >> (2 * i) & 3];
      const std::string wire = encode(text + "\n");
      ASSERT_TRUE(is_only_crlf(wire)) << testing::PrintToString(text);
      ASSERT_FALSE(has_lone_dot(wire)) << testing::PrintToString(text);
    }
  }
}

TEST(BodyEncoder, DoesNotCareWhereItsInputIsCut) {
  std::minstd_rand random(1);
  const std::string alphabet = "\r\n.ab";
  for (int round = 0; round < 2000; ++round) {
    std::string text;
    for (int i = 0; i < 12; ++i) text += alphabet[random() % alphabet.size()];
    BodyEncoder encoder;
    std::string out;
    for (const char c : text) encoder.encode({&c, 1}, out);
    encoder.encode("\n", out);
    ASSERT_EQ(out, encode(text + "\n")) << testing::PrintToString(text);
  }
}

}  // namespace
}  // namespace postern::remote

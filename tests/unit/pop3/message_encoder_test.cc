// What goes over the wire for a file, whole and cut at every byte.
#include "pop3/message_encoder.h"

#include <gtest/gtest.h>

namespace postern::pop3 {
namespace {

std::string encode_in_pieces(std::string_view file, std::size_t piece,
                             std::optional<std::uint64_t> lines) {
  MessageEncoder encoder(lines);
  std::string out;
  while (!file.empty() && encoder.feed(file.substr(0, piece), out)) {
    file.remove_prefix(std::min(piece, file.size()));
  }
  encoder.finish(out);
  return out;
}

std::string encode(std::string_view file, std::optional<std::uint64_t> lines = std::nullopt) {
  const std::string whole = encode_in_pieces(file, file.size() + 1, lines);
  for (std::size_t piece = 1; piece <= file.size(); ++piece) {
    EXPECT_EQ(encode_in_pieces(file, piece, lines), whole) << "in pieces of " << piece;
  }
  return whole;
}

TEST(MessageEncoder, LinesEndInCrLfAndNoLineIsAdded) {
  EXPECT_EQ(encode("a: b\n\nhello\n"), "a: b\r\n\r\nhello\r\n.\r\n");
}

TEST(MessageEncoder, LastLineGetsItsEnd) {
  EXPECT_EQ(encode("a: b\n\nhello"), "a: b\r\n\r\nhello\r\n.\r\n");
}

TEST(MessageEncoder, EmptyFileIsTheDotAlone) { EXPECT_EQ(encode(""), ".\r\n"); }

TEST(MessageEncoder, DotsAtTheBeginOfALineAreDoubled) {
  EXPECT_EQ(encode(".\n..\n.a\nb.\n\n.\n"), "..\r\n...\r\n..a\r\nb.\r\n\r\n..\r\n.\r\n");
  EXPECT_EQ(encode("."), "..\r\n.\r\n");
}

TEST(MessageEncoder, CrLfInTheFileStaysOneLineEnd) {
  EXPECT_EQ(encode("a: b\r\n\r\n.\r\nc\r\n"), "a: b\r\n\r\n..\r\nc\r\n.\r\n");
}

TEST(MessageEncoder, OtherCrsStay) {
  EXPECT_EQ(encode("a\rb\r\r\n\r.\nx\r"), "a\rb\r\r\n\r.\r\nx\r\n.\r\n");
}

TEST(MessageEncoder, NulsAndHighBytesStay) {
  const std::string file("\0\xff\n", 3);
  EXPECT_EQ(encode(file), std::string("\0\xff\r\n.\r\n", 7));
}

TEST(MessageEncoder, TopStopsAfterTheBodyLinesAskedFor) {
  const char* file = "a: b\nc: d\n\n1\n.2\n\n4\n";
  EXPECT_EQ(encode(file, 0), "a: b\r\nc: d\r\n\r\n.\r\n");
  EXPECT_EQ(encode(file, 1), "a: b\r\nc: d\r\n\r\n1\r\n.\r\n");
  EXPECT_EQ(encode(file, 3), "a: b\r\nc: d\r\n\r\n1\r\n..2\r\n\r\n.\r\n");
  EXPECT_EQ(encode(file, 99), encode(file));
}

TEST(MessageEncoder, TopKnowsAHeaderThatEndsInCrLf) {
  EXPECT_EQ(encode("a: b\r\n\r\n1\r\n2\r\n", 1), "a: b\r\n\r\n1\r\n.\r\n");
}

TEST(MessageEncoder, TopOfAHeaderWithoutBody) {
  EXPECT_EQ(encode("a: b\n", 0), "a: b\r\n.\r\n");
  EXPECT_EQ(encode("a: b", 5), "a: b\r\n.\r\n");
}

}  // namespace
}  // namespace postern::pop3

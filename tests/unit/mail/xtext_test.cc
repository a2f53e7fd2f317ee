#include "mail/xtext.h"

#include <gtest/gtest.h>

namespace postern::mail {
namespace {

TEST(Xtext, IsReadAsItWasWritten) {
  EXPECT_EQ(format_xtext("e=mc2+x@example.org"), "e+3Dmc2+2Bx@example.org");
  std::string all;
  for (int c = 0; c < 256; ++c) all += static_cast<char>(c);
  EXPECT_EQ(parse_xtext(format_xtext(all)), all);
}

TEST(Xtext, IsWrittenInTrueHex) {
  EXPECT_EQ(format_xtext("joe@example.org"), "joe@example.org");
  EXPECT_EQ(format_xtext("a=b+c d\x7f\xc3\xa4"), "a+3Db+2Bc+20d+7F+C3+A4");
}

TEST(Xtext, IsReadGenerously) {
  EXPECT_EQ(parse_xtext("a+3db"), "a=b");
  EXPECT_EQ(parse_xtext("a+"), "a+");
  EXPECT_EQ(parse_xtext("a+3"), "a+3");
  EXPECT_EQ(parse_xtext("+zz+-1+ 1+0x"), "+zz+-1+ 1+0x");
}

}  // namespace
}  // namespace postern::mail

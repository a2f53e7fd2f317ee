#include <gtest/gtest.h>

#include "base/ascii.h"
#include "base/base64.h"
#include "base/error.h"
#include "base/integers.h"
#include "base/netstring.h"
#include "base/sanitize.h"

namespace postern {
namespace {

using namespace std::string_literals;

TEST(ParseDecimal, TakesDigitsAndNothingElse) {
  EXPECT_EQ(parse_decimal("0"), 0U);
  EXPECT_EQ(parse_decimal("18446744073709551615"), 18446744073709551615U);
  for (const char* text : {"", "-1", "+1", " 1", "1 ", "1x", "18446744073709551616", "0x10"}) {
    EXPECT_EQ(parse_decimal(text), std::nullopt) << text;
  }
  EXPECT_EQ(parse_decimal<std::uint32_t>("4294967296"), std::nullopt);
}

TEST(IntegerSquareRoot, IsTheFloor) {
  for (std::uint64_t root : {0ULL, 1ULL, 2ULL, 777ULL, 65535ULL, 65536ULL, 4294967295ULL}) {
    EXPECT_EQ(integer_square_root(root * root), root);
    EXPECT_EQ(integer_square_root(root * root + root * 2), root);
    if (root > 1) {
      EXPECT_EQ(integer_square_root(root * root - 1), root - 1);
    }
  }
  EXPECT_EQ(integer_square_root(~std::uint64_t{0}), 4294967295U);
}

TEST(LittleEndian, IsReadAsItWasWritten) {
  const auto bytes = little_endian(0x01020304);
  EXPECT_EQ(bytes[0], 4);
  EXPECT_EQ(from_little_endian({bytes.data(), 4}), 0x01020304U);
  const auto high = little_endian(0xfffefdfc);
  EXPECT_EQ(from_little_endian({high.data(), 4}), 0xfffefdfcU);
}

// RFC 4648 section 10.
TEST(Base64, HasTheVectorsOfItsStandard) {
  const std::pair<const char*, const char*> vectors[] = {{"", ""},
                                                         {"f", "Zg=="},
                                                         {"fo", "Zm8="},
                                                         {"foo", "Zm9v"},
                                                         {"foob", "Zm9vYg=="},
                                                         {"fooba", "Zm9vYmE="},
                                                         {"foobar", "Zm9vYmFy"}};
  for (const auto& [bytes, text] : vectors) {
    EXPECT_EQ(format_base64(bytes), text);
    EXPECT_EQ(parse_base64(text), bytes);
  }
}

TEST(Base64, TakesEveryByteBack) {
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
  EXPECT_EQ(parse_base64(format_base64(bytes)), bytes);
}

TEST(Base64, RefusesWhatNoEncoderMakes) {
  for (const std::string& text : {"Z"s, "Zg"s, "Zg="s, "Zg==="s, "Z=g="s, "Zg=g"s, "===="s,
                                  "Zm9v\n"s, "Zm 9"s, "Zm9\0"s, "\xff\xff\xff\xff"s}) {
    EXPECT_EQ(parse_base64(text), std::nullopt) << text;
  }
}

TEST(Hex, IsLowerCase) { EXPECT_EQ(format_hex("\x00\xab\xff"s), "00abff"); }

TEST(Netstring, IsReadAsItWasWritten) {
  EXPECT_EQ(format_netstring("abc"), "3:abc,");
  const std::string two = format_netstring("") + format_netstring("a,b:c");
  std::string_view rest = two;
  EXPECT_EQ(take_netstring(rest), "");
  EXPECT_EQ(take_netstring(rest), "a,b:c");
  EXPECT_TRUE(rest.empty());
}

TEST(Netstring, IsRefusedWhenItsLengthLies) {
  for (const char* text : {"", "3:ab", "3:abc", "3:abcd", "03:abc,", "-1:,", ":,", "3",
                           "18446744073709551615:a,", "4294967296:a,", " 1:a,"}) {
    std::string_view rest = text;
    EXPECT_EQ(take_netstring(rest), std::nullopt) << text;
    EXPECT_EQ(rest, text);
  }
}

TEST(Ascii, CaseIsFoldedForLettersOnly) {
  EXPECT_EQ(lower("Ab[Z`\xc4"), "ab[z`\xc4");
  EXPECT_TRUE(equal_ignoring_case("Example.ORG", "eXAMPLE.org"));
  EXPECT_FALSE(equal_ignoring_case("a", "ab"));
  EXPECT_TRUE(starts_with_ignoring_case("Received: x", "received"));
  EXPECT_TRUE(ends_with_ignoring_case("a.ORG", ".org"));
  EXPECT_FALSE(ends_with_ignoring_case("g", ".org"));
}

TEST(Ascii, TrimmingTakesBlanksAndTabs) {
  EXPECT_EQ(trim(" \t a b\t "), "a b");
  EXPECT_EQ(trim("  "), "");
  EXPECT_EQ(trim_end(" a \t\n\n"), " a");
}

TEST(SanitizeForLog, MakesOneWordOfAnything) {
  EXPECT_EQ(sanitize_for_log("a b%c@x"), "a_b_c@x");
  EXPECT_EQ(sanitize_for_log("did 1+0+0\n"), "did_1+0+0/");
  EXPECT_EQ(sanitize_for_log("\x7f\x80\x01\0"s), "____");
}

TEST(SanitizeForReceived, KeepsWhatHostNamesAndUsersAreMadeOf) {
  EXPECT_EQ(sanitize_for_received("test@domain.de@[192.0.2.1]%x+y/=:-"),
            "test@domain.de@[192.0.2.1]%x+y/=:-");
  EXPECT_EQ(sanitize_for_received("a_b (c)\n"), "a?b??c??");
}

TEST(Error, IsDescribedWithTheSystemsReason) {
  EXPECT_EQ(describe({"unable to open control/me", EACCES}),
            "unable to open control/me: Permission denied");
  EXPECT_EQ(describe({"no such thing", 0}), "no such thing");
}

TEST(IsTemporary, SaysWhetherTryingAgainMayHelp) {
  EXPECT_TRUE(is_temporary(ENOSPC));
  EXPECT_TRUE(is_temporary(ENOMEM));
  EXPECT_FALSE(is_temporary(ENOENT));
  EXPECT_FALSE(is_temporary(EACCES));
}

}  // namespace
}  // namespace postern

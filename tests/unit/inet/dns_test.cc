#include "inet/dns.h"

#include <gtest/gtest.h>

namespace postern::inet {
namespace {

using namespace std::string_literals;

constexpr std::size_t type_a = 1;
constexpr std::size_t type_cname = 5;
constexpr std::size_t type_mx = 15;
constexpr std::size_t type_aaaa = 28;

std::string number16(std::size_t n) {
  return {static_cast<char>(n >> 8 & 0xff), static_cast<char>(n & 0xff)};
}

// "mail.example" as labels; a label may hold any byte but a dot.
std::string name(std::string_view text) {
  std::string wire;
  while (!text.empty()) {
    const std::string_view label = text.substr(0, text.find('.'));
    wire += static_cast<char>(label.size());
    wire += label;
    text.remove_prefix(std::min(text.size(), label.size() + 1));
  }
  return wire + '\0';
}

std::string record(std::string_view owner, std::size_t type, const std::string& data) {
  return name(owner) + number16(type) + number16(1) + "\0\0\0\x3c"s + number16(data.size()) + data;
}

std::string mx(std::size_t preference, std::string_view host) {
  return record("example.org", type_mx, number16(preference) + name(host));
}

std::string message(const std::vector<std::string>& answers) {
  std::string bytes = "\x12\x34\x81\x80"s + number16(1) + number16(answers.size()) + "\0\0\0\0"s +
                      name("example.org") + number16(type_mx) + number16(1);
  for (const auto& answer : answers) bytes += answer;
  return bytes;
}

TEST(ParseMxAnswer, GivesPreferenceAndHostInLowerCase) {
  const auto found = parse_mx_answer(message({mx(10, "MX1.Example.org"), mx(65535, "mx2.x")}));
  ASSERT_TRUE(found);
  EXPECT_EQ(*found, (std::vector<MailExchanger>{{10, "mx1.example.org"}, {65535, "mx2.x"}}));
}

TEST(ParseMxAnswer, PassesOverTheCnamesThatLedThere) {
  const auto found = parse_mx_answer(
      message({record("example.org", type_cname, name("real.example")), mx(10, "mx.example")}));
  ASSERT_TRUE(found);
  EXPECT_EQ(*found, (std::vector<MailExchanger>{{10, "mx.example"}}));
}

TEST(ParseMxAnswer, KnowsTheNullMx) {
  const auto found = parse_mx_answer(message({mx(0, "")}));
  ASSERT_TRUE(found);
  EXPECT_EQ(*found, (std::vector<MailExchanger>{{0, ""}}));
}

TEST(ParseMxAnswer, FollowsCompressedNames) {
  // The question's name is at offset 12.
  const auto found =
      parse_mx_answer(message({record("x", type_mx, number16(5) + "\2mx\xc0\x0c"s)}));
  ASSERT_TRUE(found);
  EXPECT_EQ(*found, (std::vector<MailExchanger>{{5, "mx.example.org"}}));
}

TEST(ParseMxAnswer, LeavesOutNamesThatNoHostHas) {
  const auto found = parse_mx_answer(
      message({mx(5, "a b.example"), mx(6, "x;rm.example"), mx(7, "\r\n"), mx(10, "mx.example")}));
  ASSERT_TRUE(found);
  EXPECT_EQ(*found, (std::vector<MailExchanger>{{10, "mx.example"}}));
}

// RFC 5321 5.1: where there are MX records, the host itself is no exchanger.
TEST(ParseMxAnswer, TellsUnusableOnesFromNone) {
  EXPECT_EQ(parse_mx_answer(message({mx(5, "a b.example"), mx(6, "[192.0.2.1]")})).error(),
            DnsFailure::unusable);
}

TEST(ParseMxAnswer, SaysWhenThereIsNone) {
  EXPECT_EQ(parse_mx_answer(message({})).error(), DnsFailure::no_data);
  EXPECT_EQ(parse_mx_answer(message({record("x", type_a, "\1\2\3\4")})).error(),
            DnsFailure::no_data);
}

TEST(ParseMxAnswer, TakesOneOf64KiB) {
  std::vector<std::string> answers(1700, mx(10, "mx.example"));
  const std::string bytes = message(answers);
  ASSERT_GT(bytes.size(), 60000U);
  EXPECT_EQ(parse_mx_answer(bytes)->size(), 1700U);
}

TEST(ParseMxAnswer, RefusesEveryMessageCutShort) {
  const std::string bytes = message({mx(10, "mx1.example"), mx(20, "mx2.example")});
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_EQ(parse_mx_answer(bytes.substr(0, size)).error(), DnsFailure::temporary) << size;
  }
  EXPECT_EQ(parse_mx_answer(bytes + "x").error(), DnsFailure::temporary);
}

TEST(ParseMxAnswer, RefusesLengthsThatLie) {
  const std::string host = name("mx.example");
  for (const std::string& data :
       {""s, "\0"s, "\0\x0a"s, "\0\x0a\xff"s, "\0\x0a\x3fshort"s, number16(10) + host + "junk",
        number16(10) + "\xc0\xff"s, number16(10) + "\xc0"s}) {
    EXPECT_EQ(parse_mx_answer(message({record("x", type_mx, data)})).error(),
              DnsFailure::temporary);
  }
}

TEST(ParseMxAnswer, RefusesANameThatPointsAtItself) {
  const std::size_t here = message({}).size() + name("x").size() + 10 + 2;
  const std::string loop{static_cast<char>(0xc0), static_cast<char>(here)};
  EXPECT_EQ(parse_mx_answer(message({record("x", type_mx, number16(1) + loop)})).error(),
            DnsFailure::temporary);
}

TEST(ParseMxAnswer, SurvivesEveryByteBeingAnother) {
  const std::string bytes = message({mx(10, "mx1.example"), mx(20, "mx2.example")});
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    for (int value = 0; value < 256; ++value) {
      std::string other = bytes;
      other[i] = static_cast<char>(value);
      (void)parse_mx_answer(other);
      (void)parse_address_answer(other);
    }
  }
}

TEST(ParseAddressAnswer, GivesBothKindsInOrder) {
  const auto found = parse_address_answer(
      message({record("x", type_a, "\xc0\0\2\1"s), record("x", type_a, "\xc0\0\2\2"s),
               record("x", type_aaaa, "\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1"s)}));
  ASSERT_TRUE(found);
  ASSERT_EQ(found->size(), 3U);
  EXPECT_EQ(format_address((*found)[0]), "192.0.2.1");
  EXPECT_EQ(format_address((*found)[1]), "192.0.2.2");
  EXPECT_EQ(format_address((*found)[2]), "2001:db8::1");
}

TEST(ParseAddressAnswer, RefusesAnAddressOfAnotherLength) {
  EXPECT_EQ(parse_address_answer(message({record("x", type_a, "\1\2\3")})).error(),
            DnsFailure::temporary);
  EXPECT_EQ(parse_address_answer(message({record("x", type_aaaa, "\1\2\3\4")})).error(),
            DnsFailure::temporary);
}

TEST(IsHostName, TakesWhatMayBeAskedFor) {
  for (const std::string& text : {"example.org"s, "example.org."s, "a"s, "_x.a-b.c"s,
                                  std::string(63, 'a') + ".org", "1.2.3.4"s}) {
    EXPECT_TRUE(is_host_name(text)) << text;
  }
  for (const std::string& text :
       {""s, "."s, "a..b"s, ".a"s, "a.."s, "a b"s, "a\\.b"s, "a\nb"s, "a\0b"s, "\xc3\xa4.de"s,
        "[1.2.3.4]"s, std::string(64, 'a') + ".org", std::string(127, 'a').replace(1, 0, ".")}) {
    EXPECT_FALSE(is_host_name(text)) << text;
  }
  std::string longest;
  while (longest.size() < 252) longest += "a.";
  EXPECT_TRUE(is_host_name(longest + "a"));
  EXPECT_FALSE(is_host_name(longest + "aa"));
}

}  // namespace
}  // namespace postern::inet

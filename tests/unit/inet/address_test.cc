#include "inet/address.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace postern::inet {
namespace {

IpAddress address(std::string_view text) { return parse_address(text).value(); }

TEST(ParseAddress, TakesBothFamiliesAndNothingElse) {
  EXPECT_EQ(format_address(address("192.0.2.1")), "192.0.2.1");
  EXPECT_EQ(format_address(address("2001:DB8:0::1")), "2001:db8::1");
  EXPECT_TRUE(address("192.0.2.1").is_v4());
  EXPECT_FALSE(address("2001:db8::1").is_v4());
  using namespace std::string_view_literals;
  for (const std::string_view text : {""sv, "1.2.3"sv, "1.2.3.4.5"sv, "1.2.3.256"sv, "0x7f.1"sv,
                                      "mail.example"sv, "1.2.3.4\0"sv, "fe80::1%eth0"sv}) {
    EXPECT_FALSE(parse_address(text)) << text;
  }
}

TEST(ParseAddress, TakesAMappedAddressAsTheIpv4AddressItIs) {
  EXPECT_EQ(address("::ffff:192.0.2.1"), address("192.0.2.1"));
  EXPECT_EQ(address("::ffff:c000:201"), address("192.0.2.1"));
}

TEST(ParseAddressLiteral, TakesTheFormsOfRfc5321) {
  EXPECT_EQ(parse_address_literal("[192.0.2.1]"), address("192.0.2.1"));
  EXPECT_EQ(parse_address_literal("[IPv6:2001:db8::1]"), address("2001:db8::1"));
  EXPECT_EQ(parse_address_literal("[ipv6:::1]"), address("::1"));
  EXPECT_EQ(parse_address_literal("[2001:db8::1]"), address("2001:db8::1"));
  for (const std::string_view text : {"192.0.2.1", "[192.0.2.1", "[]", "[", "", "[IPv6:]",
                                      "[IPv6:192.0.2.1]", "[mail.example]", "[[192.0.2.1]]"}) {
    EXPECT_FALSE(parse_address_literal(text)) << text;
  }
}

TEST(IsOurselves, KnowsWhatEveryHostTakesAsItself) {
  for (const std::string_view text : {"0.0.0.0", "0.1.2.3", "127.0.0.1", "127.9.9.9", "::", "::1",
                                      "::ffff:127.0.0.1", "::ffff:0.0.0.0"}) {
    EXPECT_TRUE(is_ourselves(address(text), {})) << text;
  }
  EXPECT_FALSE(is_ourselves(address("192.0.2.1"), {}));
  EXPECT_FALSE(is_ourselves(address("2001:db8::1"), {}));
}

TEST(IsOurselves, KnowsTheAddressesGiven) {
  const std::vector<IpAddress> own{address("192.0.2.1"), address("2001:db8::1")};
  EXPECT_TRUE(is_ourselves(address("192.0.2.1"), own));
  EXPECT_TRUE(is_ourselves(address("::ffff:192.0.2.1"), own));
  EXPECT_TRUE(is_ourselves(address("2001:db8:0::1"), own));
  EXPECT_FALSE(is_ourselves(address("192.0.2.2"), own));
}

TEST(ReadOwnAddresses, FindsTheLoopback) {
  const auto own = read_own_addresses();
  ASSERT_TRUE(own);
  EXPECT_NE(std::ranges::find(*own, address("127.0.0.1")), own->end());
}

}  // namespace
}  // namespace postern::inet

#include "inet/route.h"

#include <gtest/gtest.h>

namespace postern::inet {
namespace {

const Credentials trottel{"trottel", "ich"};

std::string problem(std::string_view value) { return parse_route(value).error().what; }

TEST(ParseRoute, TakesPlainCredentialsAfterBars) {
  EXPECT_EQ(parse_route("relay.example|joe|se cret|x"),
            (Route{"relay.example", 25, Credentials{"joe", "se cret|x"}}));
  EXPECT_EQ(parse_route("relay.example:587|dHJvdHRlbA==|ich"),
            (Route{"relay.example", 587, Credentials{"dHJvdHRlbA==", "ich"}}));
}

TEST(ParseRoute, TakesAddressesOfBothFamilies) {
  EXPECT_EQ(parse_route("[192.0.2.1]:2525"), (Route{"[192.0.2.1]", 2525, std::nullopt}));
  EXPECT_EQ(parse_route("192.0.2.1"), (Route{"192.0.2.1", 25, std::nullopt}));
  EXPECT_EQ(parse_route("[2001:db8::1]:587"), (Route{"[2001:db8::1]", 587, std::nullopt}));
  EXPECT_EQ(parse_route("[IPv6:2001:db8::1]"), (Route{"[IPv6:2001:db8::1]", 25, std::nullopt}));
  EXPECT_EQ(parse_route("2001:db8::1 dHJvdHRlbA== aWNo"), (Route{"2001:db8::1", 25, trottel}));
}

TEST(ParseRoute, TakesAnyBlanks) {
  EXPECT_EQ(parse_route("  relay.example:26 \t dHJvdHRlbA==\taWNo "),
            (Route{"relay.example", 26, trottel}));
  EXPECT_EQ(parse_route(" "), Route{});
}

TEST(ParseRoute, RefusesCredentialsThatAreNotWhole) {
  EXPECT_EQ(problem("relay dHJvdHRlbA=="), problem("relay dHJvdHRlbA== aWNo aWNo"));
  EXPECT_NE(problem("relay|joe"), "");
  EXPECT_NE(problem("relay|joe|"), "");
  EXPECT_NE(problem("relay||secret"), "");
  EXPECT_EQ(problem("|joe|secret"), "credentials need a relay that they are meant for");
}

TEST(ParseRoute, SaysWhichBase64DoesNotDecode) {
  EXPECT_TRUE(problem("relay joe aWNo").starts_with("the user name is not base64: write"));
  EXPECT_TRUE(problem("relay dHJvdHRlbA== secret!").starts_with("the password is not base64"));
  EXPECT_TRUE(problem("relay AA== aWNo").starts_with("the user name is empty or holds a NUL"));
}

TEST(ParseRoute, RefusesPortsAndRelaysThatAreNone) {
  for (const std::string_view value :
       {"relay:", "relay:0", "relay:65536", "relay:smtp", "relay:25:30", "re/lay", "[192.0.2.1",
        "[mail.example]", ":", "a..b", "[2001:db8::1]587"}) {
    EXPECT_FALSE(parse_route(value)) << value;
  }
}

}  // namespace
}  // namespace postern::inet

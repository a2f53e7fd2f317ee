#include "remote/route.h"

#include <gtest/gtest.h>

namespace postern::remote {
namespace {

const control::HostMap none;
const Credentials trottel{"trottel", "ich"};

// The relay, port and credentials that mail for `host` takes with these lines.
std::optional<Route> route(const std::vector<std::string>& smtproutes, std::string_view host) {
  return find_route(none, control::HostMap(smtproutes), "joe@example.org", host).value();
}

std::string problem(std::string_view value) { return parse_route(value).error().what; }

TEST(Smtproutes, ReadsTheLinesOfTheGuides) {
  const std::vector<std::string> lines{
      ":mail.provider.de dHJvdHRlbA== aWNo", "testdomain.de:mail.provider.de:587 dHJvdHRlbA== aWNo",
      ".testdomain.de:sub.provider.de dHJvdHRlbA== aWNo", "intern.example:"};
  EXPECT_EQ(route(lines, "elsewhere.example"), (Route{"mail.provider.de", 25, trottel}));
  EXPECT_EQ(route(lines, "testdomain.de"), (Route{"mail.provider.de", 587, trottel}));
  EXPECT_EQ(route(lines, "a.b.testdomain.de"), (Route{"sub.provider.de", 25, trottel}));
  EXPECT_EQ(route(lines, "intern.example"), (Route{"", 25, std::nullopt}));
  EXPECT_EQ(route({"intern.example:"}, "elsewhere.example"), std::nullopt);
}

TEST(Smtproutes, ComparesWithoutCaseAndTheLastLineWins) {
  const std::vector<std::string> lines{"Example.ORG:one.example", "example.org:two.example"};
  EXPECT_EQ(route(lines, "EXAMPLE.org")->relay, "two.example");
}

TEST(Smtproutes, TakesTheNearestDomain) {
  const std::vector<std::string> lines{".org:far.example", ".example.org:near.example"};
  EXPECT_EQ(route(lines, "a.example.org")->relay, "near.example");
  EXPECT_EQ(route(lines, "example.org")->relay, "far.example");
  EXPECT_EQ(route(lines, "org"), std::nullopt);
}

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

TEST(FindRoute, NamesTheLineWithoutItsPassword) {
  for (const std::string_view line :
       {"Example.org:relay.example:587 am9l s3cret!", "example.org:relay.example:587|s3cret",
        "example.org: relay.example:587 s3cret|and|a bar"}) {
    const auto found =
        find_route(none, control::HostMap({std::string(line)}), "a@x", "Example.org");
    ASSERT_FALSE(found);
    EXPECT_TRUE(found.error().what.starts_with(
        "control/smtproutes, line \"Example.org:relay.example:587...\": "))
        << found.error().what;
    EXPECT_FALSE(found.error().what.contains("s3cret"));
  }
}

TEST(FindRoute, LooksOnlyAtTheLineThatApplies) {
  EXPECT_EQ(route({"bad.example:relay joe", "example.org:relay.example"}, "example.org")->relay,
            "relay.example");
}

std::string by_sender(const std::vector<std::string>& authsenders, std::string_view sender) {
  const auto found = find_route(control::HostMap(authsenders),
                                control::HostMap({":by-host.example"}), sender, "example.net");
  return (*found)->relay;
}

TEST(Authsenders, AreAskedFirstByTheWholeSenderThenByItsParts) {
  const std::vector<std::string> lines{"joe@example.org:whole.example|u|p",
                                       "@example.org:domain.example|u|p", ".org:top.example|u|p",
                                       ".doe@example.net:local.example|u|p"};
  EXPECT_EQ(by_sender(lines, "Joe@Example.ORG"), "whole.example");
  EXPECT_EQ(by_sender(lines, "ann@example.org"), "domain.example");
  EXPECT_EQ(by_sender(lines, "ann@mail.org"), "top.example");
  EXPECT_EQ(by_sender(lines, "john.doe@example.net"), "local.example");
  EXPECT_EQ(by_sender(lines, "ann@example.com"), "by-host.example");
  EXPECT_EQ(by_sender(lines, ""), "by-host.example");
}

TEST(Authsenders, WinOutrightEvenWithoutARelay) {
  EXPECT_EQ(by_sender({"@example.org:"}, "joe@example.org"), "");
  EXPECT_EQ(by_sender({":everybody.example"}, ""), "everybody.example");
}

TEST(Authsenders, AreKeyedByTheQuotedSender) {
  EXPECT_EQ(by_sender({"\"joe doe\"@example.org:quoted.example"}, "joe doe@example.org"),
            "quoted.example");
}

}  // namespace
}  // namespace postern::remote

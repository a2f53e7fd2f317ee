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

#include "remote/destination.h"

#include <gtest/gtest.h>

#include <set>

#include "unit/remote/fake_names.h"

namespace postern::remote {
namespace {

using inet::DnsFailure;
using Strings = std::vector<std::string>;

class DestinationTest : public testing::Test {
 protected:
  DestinationTest() {
    names.add_exchangers("example.org", {{20, "mx2.example"}, {10, "mx1.example"}});
    names.add_host("mx1.example", {"192.0.2.1", "2001:db8::1"});
    names.add_host("mx2.example", {"192.0.2.2"});
  }

  // Every address in the order it would be tried, a group to a string.
  Strings all(Destination destination) {
    Strings groups;
    for (auto targets = destination.next(); !targets.empty(); targets = destination.next()) {
      std::string group;
      for (const Target& target : targets) {
        group += inet::format_address(target.address) + "/" + std::to_string(target.port) + " ";
      }
      groups.push_back(group);
    }
    failure = destination.failure();
    return groups;
  }
  Strings all(const std::string& host) { return all(Destination::exchangers_of(directory, host)); }
  Strings all(const Route& route) { return all(Destination::relay(directory, route)); }

  FakeNames names;
  std::vector<inet::IpAddress> own{inet::parse_address("192.0.2.99").value(),
                                   inet::parse_address("2001:db8::99").value()};
  Directory directory{names, [this] { return Result<std::vector<inet::IpAddress>>(own); }, 1};
  std::string failure;
};

TEST_F(DestinationTest, GivesExchangersByPreference) {
  EXPECT_EQ(all("example.org"), (Strings{"192.0.2.1/25 2001:db8::1/25 ", "192.0.2.2/25 "}));
}

TEST_F(DestinationTest, AsksOnlyForTheNamesItNeeds) {
  auto destination = Destination::exchangers_of(directory, "example.org");
  EXPECT_EQ(destination.next().size(), 2U);
  EXPECT_EQ(names.asked, (Strings{"MX example.org", "A mx1.example"}));
}

TEST_F(DestinationTest, TakesTheHostItselfWithoutExchangers) {
  names.exchangers.insert_or_assign("plain.example", std::unexpected(DnsFailure::no_data));
  names.add_host("plain.example", {"192.0.2.7"});
  EXPECT_EQ(all("plain.example"), Strings{"192.0.2.7/25 "});
}

TEST_F(DestinationTest, DoesNotTakeTheHostItselfWhenItsExchangersAreUnusable) {
  names.exchangers.insert_or_assign("typo.example", std::unexpected(DnsFailure::unusable));
  names.add_host("typo.example", {"192.0.2.7"});
  EXPECT_TRUE(all("typo.example").empty());
  EXPECT_EQ(failure, "DSorry, I couldn't find a mail exchanger or IP address. (#5.4.4)\n");
}

TEST_F(DestinationTest, MixesEqualPreferences) {
  names.add_exchangers("many.example", {{10, "a.example"}, {10, "b.example"}, {5, "c.example"}});
  names.add_host("a.example", {"192.0.2.10"});
  names.add_host("b.example", {"192.0.2.11"});
  names.add_host("c.example", {"192.0.2.12"});
  std::set<Strings> orders;
  for (directory.random_seed = 1; directory.random_seed < 50; ++directory.random_seed) {
    orders.insert(all("many.example"));
  }
  EXPECT_EQ(orders, (std::set<Strings>{{"192.0.2.12/25 ", "192.0.2.10/25 192.0.2.11/25 "},
                                       {"192.0.2.12/25 ", "192.0.2.11/25 192.0.2.10/25 "}}));
}

TEST_F(DestinationTest, KnowsTheNullMx) {
  names.add_exchangers("null.example", {{0, ""}});
  EXPECT_TRUE(all("null.example").empty());
  EXPECT_EQ(failure, "DSorry, null.example takes no mail: it has a null MX. (#5.1.10)\n");
  names.add_exchangers("odd.example", {{0, ""}, {10, "mx1.example"}});
  EXPECT_EQ(all("odd.example").size(), 1U);
}

TEST_F(DestinationTest, TellsKindsOfNothingApart) {
  EXPECT_TRUE(all("no\nwhere.example").empty());
  EXPECT_EQ(failure, "DSorry, I couldn't find any host named no?where.example. (#5.1.2)\n");

  names.exchangers.insert_or_assign("slow.example", std::unexpected(DnsFailure::temporary));
  EXPECT_TRUE(all("slow.example").empty());
  EXPECT_EQ(failure, "ZSorry, I couldn't find any host by that name. (#4.1.2)\n");

  names.exchangers.insert_or_assign("bare.example", std::unexpected(DnsFailure::no_data));
  names.hosts.insert_or_assign("bare.example", std::unexpected(DnsFailure::no_data));
  EXPECT_TRUE(all("bare.example").empty());
  EXPECT_EQ(failure, "DSorry, I couldn't find a mail exchanger or IP address. (#5.4.4)\n");

  names.add_exchangers("lost.example", {{10, "gone.example"}});
  EXPECT_TRUE(all("lost.example").empty());
  EXPECT_EQ(failure, "DSorry, I couldn't find a mail exchanger or IP address. (#5.4.4)\n");
}

TEST_F(DestinationTest, WaitsForAnExchangerWhoseAddressIsNotToBeHad) {
  names.hosts.insert_or_assign("mx1.example", std::unexpected(DnsFailure::temporary));
  EXPECT_EQ(all("example.org"), Strings{"192.0.2.2/25 "});
  names.hosts.insert_or_assign("mx2.example", std::unexpected(DnsFailure::no_such_name));
  EXPECT_TRUE(all("example.org").empty());
  EXPECT_EQ(failure, "ZSorry, I couldn't find any host by that name. (#4.1.2)\n");
}

constexpr const char* ourselves =
    "DSorry. Although I'm listed as a best-preference MX or A for that host,\n"
    "it isn't in my control/locals file, so I don't treat it as local. (#5.4.6)\n";

TEST_F(DestinationTest, NeverSendsToItself) {
  for (const char* address :
       {"192.0.2.99", "2001:db8::99", "127.0.0.1", "0.0.0.0", "::", "::1", "::ffff:192.0.2.99"}) {
    names.add_host("mx1.example", {"192.0.2.1", address});
    EXPECT_TRUE(all("example.org").empty()) << address;
    EXPECT_EQ(failure, ourselves);
  }
  EXPECT_TRUE(all("[127.0.0.1]").empty());
  EXPECT_EQ(failure, ourselves);
}

TEST_F(DestinationTest, SendsOnlyToBetterExchangersThanItself) {
  names.add_exchangers(
      "example.org",
      {{10, "mx1.example"}, {20, "us.example"}, {20, "mx2.example"}, {30, "mx3.example"}});
  names.add_host("us.example", {"192.0.2.99"});
  names.add_host("mx3.example", {"192.0.2.3"});
  EXPECT_EQ(all("example.org"), Strings{"192.0.2.1/25 2001:db8::1/25 "});
}

TEST_F(DestinationTest, WaitsWhenABetterExchangerCannotBeFound) {
  names.add_exchangers("example.org", {{10, "mx1.example"}, {20, "us.example"}});
  names.hosts.insert_or_assign("mx1.example", std::unexpected(DnsFailure::temporary));
  names.add_host("us.example", {"192.0.2.99"});
  EXPECT_TRUE(all("example.org").empty());
  EXPECT_EQ(failure, "ZSorry, I couldn't find any host by that name. (#4.1.2)\n");
}

TEST_F(DestinationTest, DefersWhenItDoesNotKnowItself) {
  directory.own_addresses = [] { return postern::failure("no addresses", ENOMEM); };
  EXPECT_TRUE(all("example.org").empty());
  EXPECT_EQ(failure, "ZSystem resources temporarily unavailable. (#4.3.0)\n");
}

TEST_F(DestinationTest, TakesLiterals) {
  EXPECT_EQ(all("[192.0.2.5]"), Strings{"192.0.2.5/25 "});
  EXPECT_EQ(all("[IPv6:2001:db8::5]"), Strings{"2001:db8::5/25 "});
  EXPECT_TRUE(names.asked.empty());
}

TEST_F(DestinationTest, AsksForNoExchangerOfARelay) {
  EXPECT_EQ(all(Route{"mx1.example", 587, {}}), Strings{"192.0.2.1/587 2001:db8::1/587 "});
  EXPECT_EQ(names.asked, Strings{"A mx1.example"});
  EXPECT_EQ(all(Route{"[127.0.0.1]", 26, {}}), Strings{"127.0.0.1/26 "});
  EXPECT_EQ(all(Route{"2001:db8::5", 25, {}}), Strings{"2001:db8::5/25 "});
  EXPECT_EQ(all(Route{"192.0.2.99", 25, {}}), Strings{"192.0.2.99/25 "});
}

TEST_F(DestinationTest, KeepsMailForARelayThatIsMisspelt) {
  EXPECT_TRUE(all(Route{"nowhere.example", 25, {}}).empty());
  EXPECT_TRUE(failure.starts_with("ZSorry, I couldn't find an address of the relay")) << failure;
}

TEST_F(DestinationTest, DoesNotAskForThousandsOfNames) {
  std::vector<inet::MailExchanger> many;
  many.reserve(2000);
  for (int i = 0; i < 2000; ++i) many.push_back({10, "x" + std::to_string(i) + ".example"});
  names.add_exchangers("huge.example", many);
  EXPECT_TRUE(all("huge.example").empty());
  EXPECT_LE(names.asked.size(), 101U);
}

}  // namespace
}  // namespace postern::remote

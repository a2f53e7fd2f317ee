// Rules as tcprules writes them, found as tcpserver finds them.
#include "control/access_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "posix/spawn.h"
#include "support/temporary_directory.h"

namespace postern::control {
namespace {

using ::testing::ElementsAre;
using wire::Setting;

TEST(AccessRuleKeys, GoFromTheAddressToNothing) {
  EXPECT_THAT(access_rule_keys("192.0.2.17"),
              ElementsAre("192.0.2.17", "192.0.2.", "192.0.", "192.", ""));
  EXPECT_THAT(access_rule_keys("2001:db8::1"),
              ElementsAre("2001:db8::1", "2001:db8::", "2001:db8:", "2001:", ""));
}

TEST(AccessRule, SaysNothingWhereItMakesNoSense) {
  using namespace std::string_literals;
  EXPECT_TRUE(parse_access_rule("D\0"s).deny);
  for (const auto& value : {""s, "D"s, "\0"s, "+A\0"s, "x=y\0"s, "+A=b"s}) {
    const AccessRule rule = parse_access_rule(value);
    EXPECT_FALSE(rule.deny);
    EXPECT_THAT(rule.settings, ElementsAre());
  }
}

class AccessRuleFile : public testing::Test {
 protected:
  AccessRuleFile() {
    std::ofstream("rules") << "192.0.2.17:allow,A=\"one\",B=\"\"\n"
                              "192.0.2.:deny\n"
                              "127.:allow,RELAYCLIENT=\"\"\n"
                              "2001:db8::1:allow,A=\"six\"\n"
                              ":allow,A=\"all\"\n";
    compile();
  }
  static void compile() {
    auto rules = std::fopen("rules", "r");
    auto child = spawn({.argv = {"tcprules", "rules.cdb", "rules.tmp"},
                        .search_path = true,
                        .fds = {{::fileno(rules), 0}}});
    EXPECT_EQ(child->wait()->code(), 0);
    std::fclose(rules);
  }
  AccessRule find(std::string_view ip) { return rules_.find(ip).value(); }
  test::TemporaryDirectory directory_;
  AccessRules rules_{"rules.cdb"};
};

TEST_F(AccessRuleFile, HasTheRulesThatTcprulesCompiles) {
  EXPECT_THAT(find("192.0.2.17").settings, ElementsAre(Setting{"A", "one"}, Setting{"B", ""}));
  EXPECT_FALSE(find("192.0.2.17").deny);
  EXPECT_TRUE(find("192.0.2.18").deny);
  EXPECT_THAT(find("127.0.0.1").settings, ElementsAre(Setting{"RELAYCLIENT", ""}));
  EXPECT_THAT(find("2001:db8::1").settings, ElementsAre(Setting{"A", "six"}));
  EXPECT_THAT(find("2001:db8::17").settings, ElementsAre(Setting{"A", "all"}));
}

TEST_F(AccessRuleFile, IsReadAnewWhenItHasChanged) {
  EXPECT_THAT(find("198.51.100.1").settings, ElementsAre(Setting{"A", "all"}));
  std::ofstream("rules") << "192.0.2.:deny\n";
  compile();
  EXPECT_THAT(find("198.51.100.1").settings, ElementsAre());
  EXPECT_FALSE(find("198.51.100.1").deny);  // whom no rule is for may connect
}

TEST_F(AccessRuleFile, ThatCannotBeReadAllowsNobody) {
  EXPECT_FALSE(AccessRules("no.cdb").find("192.0.2.17"));
  std::ofstream("rules.cdb") << "not a database";
  EXPECT_FALSE(rules_.find("192.0.2.17"));
}

}  // namespace
}  // namespace postern::control

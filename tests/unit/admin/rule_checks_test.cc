#include "admin/rule_checks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "support/temporary_directory.h"

namespace postern::admin {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class ConnectionRules : public ::testing::Test {
 protected:
  static std::vector<std::string> check(const std::string& rules) {
    std::ofstream("tcp.smtp") << rules;
    std::ofstream("tcp.smtp.cdb") << "compiled";
    return check_connection_rules("tcp.smtp");
  }

 private:
  test::TemporaryDirectory directory_;
};

TEST_F(ConnectionRules, OfAnOrdinarySiteAreSound) {
  EXPECT_THAT(check("127.:allow,RELAYCLIENT=\"\"\n::1:allow,RELAYCLIENT=\"\"\n"
                    "=.example.org:allow,RELAYCLIENT=\"\"\n192.0.2.:deny\n"
                    ":allow,QMAILQUEUE=\"/bin/filter\"\n"),
              IsEmpty());
}

TEST_F(ConnectionRules, ThatLetEverybodyRelayAreFound) {
  EXPECT_THAT(check("# :allow,RELAYCLIENT=\"\"\n:allow,DATABYTES=\"1\",RELAYCLIENT=\"\"\n\n"
                    "=:allow,RELAYCLIENT=\"\""),
              ElementsAre(HasSubstr("tcp.smtp line 2 sets RELAYCLIENT for everybody"),
                          HasSubstr("tcp.smtp line 4 sets RELAYCLIENT for everybody")));
}

TEST_F(ConnectionRules, ThatWaitToBeCompiledAreFound) {
  (void)check(":allow\n");
  std::filesystem::remove("tcp.smtp.cdb");
  EXPECT_THAT(check_connection_rules("tcp.smtp"), ElementsAre(HasSubstr("run qmailctl cdb")));
}

TEST_F(ConnectionRules, ThatAreNotThereAreSound) {
  EXPECT_THAT(check_connection_rules("tcp.smtp"), IsEmpty());
}

}  // namespace
}  // namespace postern::admin

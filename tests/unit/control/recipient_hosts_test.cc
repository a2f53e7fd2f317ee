// rcpthosts, morercpthosts.cdb and what stands in for them.
#include "control/recipient_hosts.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "control/cdb.h"
#include "support/temporary_directory.h"

namespace postern::control {
namespace {

class RecipientHostsFromFiles : public testing::Test {
 protected:
  RecipientHostsFromFiles() { std::filesystem::create_directory("control"); }
  static void write(const std::string& name, const std::string& text) {
    std::ofstream("control/" + name) << text;
  }
  static bool accepts(const std::string& address) {
    auto hosts = RecipientHosts::read();
    return hosts && *hosts->accept(address);
  }
  test::TemporaryDirectory home_;
};

TEST_F(RecipientHostsFromFiles, AreControlMeAloneWithoutRcpthosts) {
  write("me", "mx.example\n");
  EXPECT_TRUE(accepts("a@MX.example"));
  EXPECT_TRUE(accepts("postmaster"));
  EXPECT_FALSE(accepts("a@elsewhere.example"));
  write("rcpthosts", "");
  EXPECT_FALSE(accepts("a@mx.example"));
}

TEST_F(RecipientHostsFromFiles, AreNobodysWithoutAnyFile) {
  EXPECT_FALSE(accepts("a@mx.example"));
  EXPECT_FALSE(accepts("a@"));
}

TEST_F(RecipientHostsFromFiles, MatchWholeNamesAndWhatFollowsADot) {
  write("rcpthosts", "example.org\n.example.net\n");
  EXPECT_TRUE(accepts("a@example.org"));
  EXPECT_TRUE(accepts("a@b@c.Example.NET"));
  EXPECT_TRUE(accepts("a@.example.net"));
  EXPECT_FALSE(accepts("a@sub.example.org"));
  EXPECT_FALSE(accepts("a@example.net"));
  EXPECT_FALSE(accepts("a@badexample.org"));
  EXPECT_FALSE(accepts("a@example.org."));
}

TEST_F(RecipientHostsFromFiles, AreContinuedInACdbFileWhereThereIsRcpthosts) {
  auto writer = CdbWriter::create("control/morercpthosts.cdb", "control/new", 0644);
  ASSERT_TRUE(writer && writer->add("more.example", "") && writer->add(".deep.example", ""));
  ASSERT_TRUE(writer->commit());
  write("me", "mx.example\n");
  EXPECT_FALSE(accepts("a@more.example"));
  write("rcpthosts", "example.org\n");
  EXPECT_TRUE(accepts("a@More.example"));
  EXPECT_TRUE(accepts("a@x.y.deep.example"));
  EXPECT_TRUE(accepts("a@example.org"));
  EXPECT_FALSE(accepts("a@deep.example"));
}

TEST_F(RecipientHostsFromFiles, DoNotGuessWhatADamagedFileSays) {
  write("rcpthosts", "example.org\n");
  write("morercpthosts.cdb", std::string(2048, '\xff'));
  auto hosts = RecipientHosts::read();
  EXPECT_TRUE(!hosts || !hosts->accept("a@more.example"));
  write("morercpthosts.cdb", "short");
  EXPECT_FALSE(RecipientHosts::read());
}

}  // namespace
}  // namespace postern::control

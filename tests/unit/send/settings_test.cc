#include "send/settings.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "support/temporary_directory.h"

namespace postern::send {
namespace {

class SettingsTest : public testing::Test {
 protected:
  SettingsTest() { std::filesystem::create_directory("control"); }
  static void write(const std::string& name, const std::string& text) {
    std::ofstream("control/" + name) << text;
  }
  postern::test::TemporaryDirectory directory_;
};

TEST_F(SettingsTest, HaveTheirDefaultsWithMeAlone) {
  write("me", "mail.example.org\n");
  const auto settings = read_settings("/var/qmail");
  ASSERT_TRUE(settings);
  EXPECT_EQ(settings->home, "/var/qmail");
  EXPECT_EQ(settings->bounces.from_user, "MAILER-DAEMON");
  EXPECT_EQ(settings->bounces.from_host, "mail.example.org");
  EXPECT_EQ(settings->bounces.double_to, "postmaster@mail.example.org");
  EXPECT_EQ(settings->concurrency_local, 10U);
  EXPECT_EQ(settings->concurrency_remote, 20U);
  EXPECT_EQ(settings->lifetime, 604800);
  EXPECT_EQ(settings->rules.envnoathost, "mail.example.org");
  EXPECT_TRUE(settings->rules.locals.contains("Mail.Example.ORG"));
  EXPECT_TRUE(settings->rules.percenthack.empty());
  EXPECT_TRUE(settings->rules.virtualdomains.empty());
}

TEST_F(SettingsTest, AreWhatTheFilesSay) {
  write("me", "mail.example.org\n");
  write("bouncefrom", "bounces  \n");
  write("doublebounceto", "admin\n");
  write("doublebouncehost", "far.example\n");
  write("concurrencyremote", "300\n");
  write("queuelifetime", "86400\n");
  write("locals", "# ours\na.example\n\nb.example\n");
  const auto settings = read_settings("/var/qmail");
  ASSERT_TRUE(settings);
  EXPECT_EQ(settings->bounces.from_user, "bounces");
  EXPECT_EQ(settings->bounces.double_to, "admin@far.example");
  EXPECT_EQ(settings->concurrency_remote, 300U);
  EXPECT_EQ(settings->lifetime, 86400);
  EXPECT_TRUE(settings->rules.locals.contains("b.example"));
  EXPECT_FALSE(settings->rules.locals.contains("mail.example.org"));
}

TEST_F(SettingsTest, NameTheFileThatMakesNoSense) {
  write("me", "mail.example.org\n");
  write("queuelifetime", "7d\n");
  const auto settings = read_settings("/var/qmail");
  ASSERT_FALSE(settings);
  EXPECT_TRUE(settings.error().what.contains("control/queuelifetime holds \"7d\""));
}

TEST_F(SettingsTest, RulesStayWhenOneOfTheirFilesCannotBeRead) {
  write("me", "mail.example.org\n");
  auto settings = read_settings("/var/qmail");
  ASSERT_TRUE(settings);
  write("locals", "new.example\n");
  std::filesystem::create_directory("control/virtualdomains");
  const auto done = reread_rules(settings->rules);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().what, "control/virtualdomains");
  EXPECT_FALSE(settings->rules.locals.contains("new.example"));
  std::filesystem::remove("control/virtualdomains");
  EXPECT_TRUE(reread_rules(settings->rules));
  EXPECT_TRUE(settings->rules.locals.contains("new.example"));
}

}  // namespace
}  // namespace postern::send

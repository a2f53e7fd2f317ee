#include "inject/settings.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>

namespace postern::inject {
namespace {

Result<Arguments> parse(const std::vector<const char*>& words) { return parse_arguments(words); }

TEST(Arguments, AreLettersThenAddresses) {
  const auto arguments = parse({"-hn", "-fjoe@x", "a", "-b"});
  ASSERT_TRUE(arguments);
  EXPECT_EQ(arguments->recipients, Recipients::header);
  EXPECT_TRUE(arguments->print);
  EXPECT_EQ(arguments->sender, "joe@x");
  EXPECT_EQ(arguments->addresses, (std::vector<std::string>{"a", "-b"}));
}

TEST(Arguments, MayHaveTheSenderApartAndEndInTwoDashes) {
  const auto arguments = parse({"-Nf", "joe", "-nN", "--", "-a"});
  ASSERT_TRUE(arguments);
  EXPECT_EQ(arguments->sender, "joe");
  EXPECT_FALSE(arguments->print);
  EXPECT_EQ(arguments->addresses, (std::vector<std::string>{"-a"}));
  EXPECT_EQ(parse({"-f", ""})->sender, "");
}

TEST(Arguments, KeepTheLastChoiceOfRecipients) {
  EXPECT_EQ(parse({"-a"})->recipients, Recipients::arguments);
  EXPECT_EQ(parse({"-aH"})->recipients, Recipients::both);
  EXPECT_EQ(parse({"-H", "-A"})->recipients, Recipients::arguments_or_header);
  EXPECT_EQ(parse({})->recipients, Recipients::arguments_or_header);
}

TEST(Arguments, ThatAreUnknownAreRefused) {
  EXPECT_FALSE(parse({"-z"}));
  EXPECT_FALSE(parse({"-f"}));
  EXPECT_FALSE(parse({"-nq"}));
}

// A qmail home with control files, and an environment.
class SettingsTest : public testing::Test {
 protected:
  void SetUp() override {
    home_ = (std::filesystem::temp_directory_path() / "settings-XXXXXX").string();
    ASSERT_NE(::mkdtemp(home_.data()), nullptr);
    std::filesystem::create_directory(home_ + "/control");
    write("me", "mail.example.org");
    before_ = std::filesystem::current_path();
  }
  void TearDown() override {
    std::filesystem::current_path(before_);
    std::filesystem::remove_all(home_);
  }
  void write(const std::string& file, const std::string& text) {
    std::ofstream(home_ + "/control/" + file) << text << "\n";
  }
  Result<Settings> try_read() {
    return read_settings(
        {},
        [&](const char* name) -> std::optional<std::string> {
          const auto found = environment_.find(name);
          if (found == environment_.end()) return std::nullopt;
          return found->second;
        },
        home_);
  }
  Settings read() {
    const auto settings = try_read();
    EXPECT_TRUE(settings) << settings.error().what;
    return settings.value_or(Settings{});
  }

  std::string home_;
  std::filesystem::path before_;
  std::map<std::string, std::string> environment_;
};

TEST_F(SettingsTest, AreAnonymousAtThisHostByDefault) {
  const auto settings = read();
  EXPECT_EQ(settings.user, "anonymous");
  EXPECT_EQ(settings.host, "mail.example.org");
  EXPECT_EQ(settings.sender_user, "anonymous");
  EXPECT_EQ(settings.sender_host, "mail.example.org");
  EXPECT_EQ(settings.id_host, "mail.example.org");
  EXPECT_FALSE(settings.name);
}

TEST_F(SettingsTest, TakeTheFirstVariableThatIsSet) {
  for (const auto* name : {"LOGNAME", "USER", "MAILUSER", "QMAILUSER"}) {
    environment_[name] = name;
    EXPECT_EQ(read().user, name);
    EXPECT_EQ(read().sender_user, name);
  }
  for (const auto* name : {"MAILHOST", "QMAILHOST"}) {
    environment_[name] = std::string(name) + ".x";
    EXPECT_EQ(read().host, std::string(name) + ".x");
    EXPECT_EQ(read().sender_host, std::string(name) + ".x");
  }
  for (const auto* name : {"NAME", "MAILNAME", "QMAILNAME"}) {
    environment_[name] = name;
    EXPECT_EQ(read().name, name);
  }
  environment_["QMAILSUSER"] = "owner";
  environment_["QMAILSHOST"] = "lists";
  EXPECT_EQ(read().sender_user, "owner");
  EXPECT_EQ(read().sender_host, "lists.mail.example.org");
  environment_["QMAILNAME"] = "";
  EXPECT_FALSE(read().name);
}

TEST_F(SettingsTest, NeverHoldALineEnd) {
  for (const auto* name :
       {"NAME", "QMAILUSER", "QMAILHOST", "QMAILSUSER", "QMAILSHOST", "QMAILIDHOST",
        "QMAILDEFAULTHOST", "QMAILDEFAULTDOMAIN", "QMAILPLUSDOMAIN"}) {
    environment_[name] = "x.y\nBcc: everybody\r";
  }
  const auto settings = read();
  for (const auto& text :
       {settings.name.value_or("\n"), settings.user, settings.host, settings.sender_user,
        settings.sender_host, settings.id_host, settings.defaults.host, settings.defaults.domain,
        settings.defaults.plus_domain}) {
    EXPECT_TRUE(text.starts_with("x.y Bcc: everybody ")) << text;
    EXPECT_FALSE(text.contains('\n') || text.contains('\r')) << text;
  }
}

TEST_F(SettingsTest, HaveControlFilesThatTheEnvironmentOverrides) {
  write("defaultdomain", "dd.example");
  write("defaulthost", "dh");
  write("plusdomain", "pd.example");
  write("idhost", "id.example");
  auto settings = read();
  EXPECT_EQ(settings.defaults.domain, "dd.example");
  EXPECT_EQ(settings.defaults.plus_domain, "pd.example");
  EXPECT_EQ(settings.defaults.host, "dh");
  EXPECT_EQ(settings.host, "dh.dd.example");
  EXPECT_EQ(settings.id_host, "id.example");
  environment_ = {{"QMAILDEFAULTDOMAIN", "a"},
                  {"QMAILDEFAULTHOST", "b+"},
                  {"QMAILPLUSDOMAIN", "c"},
                  {"QMAILIDHOST", "d"}};
  settings = read();
  EXPECT_EQ(settings.defaults.domain, "a");
  EXPECT_EQ(settings.host, "b.c");
  EXPECT_EQ(settings.id_host, "d");
}

TEST_F(SettingsTest, HaveTheLettersOfQmailinject) {
  environment_["QMAILINJECT"] = "csfirm?";
  const auto settings = read();
  EXPECT_TRUE(settings.address_comment_style && settings.ignore_return_path &&
              settings.delete_from && settings.delete_message_id && settings.recipient_verp &&
              settings.message_verp);
}

TEST_F(SettingsTest, HaveTheListsOfQmailmftfile) {
  std::ofstream(home_ + "/lists") << "# mine\nlist@example.org \n\nother@example.org";
  environment_["QMAILMFTFILE"] = home_ + "/lists";
  EXPECT_EQ(read().mailing_lists,
            (std::vector<std::string>{"list@example.org", "other@example.org"}));
  environment_["QMAILMFTFILE"] = home_ + "/none";
  EXPECT_TRUE(read().mailing_lists.empty());
}

TEST_F(SettingsTest, CannotBeReadFromRubbish) {
  write("idhost", std::string("a\0b", 3));
  const auto settings = try_read();
  ASSERT_FALSE(settings);
  EXPECT_TRUE(settings.error().what.contains("control/idhost"));
  environment_["QMAILMFTFILE"] = home_;  // a directory
  EXPECT_FALSE(try_read());
}

TEST_F(SettingsTest, NeedTheHome) {
  home_ += "/none";
  EXPECT_FALSE(try_read());
}

}  // namespace
}  // namespace postern::inject

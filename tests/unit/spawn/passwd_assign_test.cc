#include "spawn/passwd_assign.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "support/temporary_directory.h"

namespace postern::spawning {
namespace {

using Homes = AssignOptions::Homes;

constexpr std::string_view alias_line = "alias:x:70:71::/var/qmail/alias:/bin/sh\n";
constexpr std::string_view alias_part =
    "+:alias:70:71:/var/qmail/alias:-::\n"
    "=alias:alias:70:71:/var/qmail/alias:::\n"
    "+alias-:alias:70:71:/var/qmail/alias:-::\n";

class PasswdAssign : public ::testing::Test {
 protected:
  // What comes after the alias's lines and before the final dot.
  std::string make(const std::string& lines) {
    const auto text = whole(std::string(alias_line) + lines);
    if (!text) return text.error().what;
    EXPECT_TRUE(text->starts_with(alias_part)) << *text;
    EXPECT_TRUE(text->ends_with("\n.\n")) << *text;
    return text->substr(alias_part.size(), text->size() - alias_part.size() - 2);
  }
  Result<std::string> whole(const std::string& passwd) {
    return make_assign(passwd, options_, rules_,
                       [this](const std::string& home) -> Result<std::optional<std::uint64_t>> {
                         const auto owner = owners_.find(home);
                         if (owner == owners_.end()) return std::nullopt;
                         return owner->second;
                       });
  }
  AssignOptions options_;
  AssignRules rules_;
  std::map<std::string, std::uint64_t> owners_{{"/home/joe", 1000}, {"/var/qmail/alias", 70}};
  const std::string joe_ = "joe:x:1000:100:Joe,,:/home/joe:/bin/sh\n";
};

TEST_F(PasswdAssign, GivesAUserTheNameAndItsExtensions) {
  EXPECT_EQ(make(joe_),
            "=joe:joe:1000:100:/home/joe:::\n"
            "+joe-:joe:1000:100:/home/joe:-::\n");
}

TEST_F(PasswdAssign, LeavesOutWhomQmailGetpwWouldNotFind) {
  owners_["/root"] = 0;
  owners_["/home/other"] = 5;
  EXPECT_EQ(make("root:x:0:0::/root:/bin/sh\n"), "");
  EXPECT_EQ(make("gone:x:7:7::/home/gone:/bin/sh\n"), "");
  EXPECT_EQ(make("other:x:7:7::/home/other:/bin/sh\n"), "");
  EXPECT_EQ(make("Joe:x:1000:100::/home/joe:/bin/sh\n"), "");
  EXPECT_EQ(make("games:x:7:7::nowhere:/bin/sh\n"), "") << "qmail-newu would refuse it";
}

TEST_F(PasswdAssign, DoesWhatItsOptionsSay) {
  options_.upper_case = true;
  options_.homes = Homes::ignore;
  options_.dash = "-/";
  options_.break_character = "+";
  auto text = whole(std::string(alias_line) + "Gone:x:7:8::/home/gone:/bin/sh\n");
  ASSERT_TRUE(text) << text.error().what;
  EXPECT_TRUE(text->contains("\n=Gone:Gone:7:8:/home/gone:::\n+Gone+:Gone:7:8:/home/gone:-/::\n"))
      << *text;
  options_.break_character = "";
  text = whole(std::string(alias_line) + "Gone:x:7:8::/home/gone:/bin/sh\n");
  EXPECT_FALSE(text->contains("+Gone"));
  options_.homes = Homes::need;
  EXPECT_EQ(make("gone:x:7:8::/home/gone:/bin/sh\n"),
            "the home directory /home/gone of gone is not there: make it, or leave -h out");
}

TEST_F(PasswdAssign, FollowsTheFilesOfTheAdministrator) {
  owners_["/home/ann"] = 1001;
  const std::string both = joe_ + "ann:x:1001:100::/home/ann:/bin/sh\n";
  rules_.include = std::set<std::string>{"alias", "ann"};
  EXPECT_EQ(make(both), "=ann:ann:1001:100:/home/ann:::\n+ann-:ann:1001:100:/home/ann:-::\n");
  rules_.include = std::nullopt;
  rules_.exclude = {"ann"};
  rules_.mail_names["joe"] = {"sales", "", "joseph"};
  rules_.sub_users = "list:joe:l:\n";
  rules_.append = "=x:y:1:1:/z:::\n";
  EXPECT_EQ(make(both),
            "=sales:joe:1000:100:/home/joe:::\n+sales-:joe:1000:100:/home/joe:-::\n"
            "=joseph:joe:1000:100:/home/joe:::\n+joseph-:joe:1000:100:/home/joe:-::\n"
            "=list:joe:1000:100:/home/joe:-:l:\n+list-:joe:1000:100:/home/joe:-:l-:\n"
            "=x:y:1:1:/z:::\n");
}

TEST_F(PasswdAssign, NamesTheLineThatMakesNoSense) {
  EXPECT_EQ(make("joe:x:1000\n"), "the password file, line 2: expected 6 colons, found 2");
  EXPECT_EQ(make("joe:x:many:100::/home/joe:/bin/sh\n"),
            "the password file, line 2: no user name, or a uid or gid that is no number");
  EXPECT_EQ(make("joe:x:4294967296:100::/home/joe:/bin/sh\n"),
            "the password file, line 2: no user name, or a uid or gid that is no number");
  rules_.sub_users = "# ours\nlist:nobody:l:\n";
  EXPECT_EQ(make(""), "users/subusers, line 2: there is no user nobody in the outcome");
  rules_.sub_users = "list:alias\n";
  EXPECT_EQ(make(""), "users/subusers, line 1: expected address:user:extension:");
  rules_.sub_users = "";
  rules_.append = "=x:y\n";
  EXPECT_EQ(make(""),
            "users/append makes no sense: line 4 of the outcome: expected 7 colons, found 1");
}

TEST_F(PasswdAssign, NeedsTheUserAlias) {
  EXPECT_EQ(whole(joe_).error().what,
            "unable to find the user alias, to whom all other addresses belong");
}

TEST_F(PasswdAssign, PassesOverWhatOnlyNisUnderstands) { EXPECT_EQ(make("+::::::\n-joe\n"), ""); }

TEST(AssignRulesFiles, AreReadFromUsers) {
  const test::TemporaryDirectory directory;
  std::filesystem::create_directory("users");
  EXPECT_FALSE(read_assign_rules()->include);
  std::ofstream("users/include") << "# some\njoe \nann\n";
  std::ofstream("users/mailnames") << "joe:a:b\n";
  const auto rules = read_assign_rules();
  ASSERT_TRUE(rules);
  EXPECT_EQ(*rules->include, (std::set<std::string>{"joe", "ann"}));
  EXPECT_EQ(rules->mail_names.at("joe"), (std::vector<std::string>{"a", "b"}));
  std::ofstream("users/mailnames") << "joe\n";
  EXPECT_EQ(read_assign_rules().error().what,
            "users/mailnames, line 1: expected user:mailname:...");
}

TEST(AssignOptions, AreQmails) {
  const auto parse = [](std::vector<std::string> words) {
    std::vector<char*> arguments;
    for (auto& word : words) arguments.push_back(word.data());
    return parse_assign_options(arguments);
  };
  EXPECT_EQ(parse({})->break_character, "-");
  EXPECT_EQ(parse({"-/uH"})->dash, "-/");
  EXPECT_EQ(parse({"-/uH"})->homes, Homes::ignore);
  EXPECT_EQ(parse({"-c+"})->break_character, "+");
  EXPECT_EQ(parse({"-c", "+"})->break_character, "+");
  EXPECT_EQ(parse({"-C"})->break_character, "");
  EXPECT_EQ(parse({"-h", "-o"})->homes, Homes::skip_absent);
  for (const auto& words :
       {std::vector<std::string>{"-x"}, {"users"}, {"-"}, {"-c"}, {"-c", "++"}, {"-c:"}}) {
    EXPECT_FALSE(parse(words)) << words.front();
  }
}

}  // namespace
}  // namespace postern::spawning

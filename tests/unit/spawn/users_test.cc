// users/assign, users/cdb and qmail-getpw's rules.
#include <gmock/gmock.h>

#include <fstream>
#include <map>
#include <set>

#include "posix/files.h"
#include "spawn/assign.h"
#include "spawn/assigned_users.h"
#include "spawn/getpw.h"
#include "spawn/system_users.h"
#include "support/temporary_directory.h"

namespace postern::spawning {
namespace {

using namespace std::string_literals;
using ::testing::ElementsAre;

AssignError error_in(std::string_view text) {
  const auto parsed = parse_assign(text);
  return parsed ? AssignError{} : parsed.error();
}

TEST(Assign, BecomesRecordsWithTheWildcardsLastCharacters) {
  const auto records = parse_assign(
      "=Joe:joe:1000:1001:/home/joe:::\n"
      "+Joe-:joe:1000:1001:/home/joe:-::\n"
      "+list=:l:5:6:/l:-:x:ignored\n"
      "+:alias:7:8:/alias:-::\n"
      ".\nanything\n");
  ASSERT_TRUE(records);
  EXPECT_THAT(*records, ElementsAre(AssignRecord{"!joe\0"s, "joe\0001000\0001001\0/home/joe\0\0"s},
                                    AssignRecord{"!joe-", "joe\0001000\0001001\0/home/joe\0-\0"s},
                                    AssignRecord{"!list=", "l\0005\0006\0/l\0-\0x"s},
                                    AssignRecord{"!", "alias\0007\0008\0/alias\0-\0"s},
                                    AssignRecord{"", "-="}));
}

TEST(Assign, TakesAnyFirstCharacterButPlusForAnExactAddress) {
  EXPECT_EQ(parse_assign("!x:u:1:2:/:::\n.")->at(0).key, "!x\0"s);
}

TEST(Assign, SaysInWhichLineWhatIsWrong) {
  const std::string good = "=joe:joe:1:2:/home/joe:::\n";
  EXPECT_EQ(error_in(good + "=x:joe:1:2:/home/joe::\n.\n"),
            (AssignError{2, "expected 7 colons, found 6"}));
  EXPECT_EQ(error_in(good + "\n.\n"), (AssignError{2, "expected 7 colons, found 0"}));
  EXPECT_EQ(error_in(good + good + "=x:j\0e:1:2:/:::\n.\n"s), (AssignError{3, "a NUL byte"}));
  EXPECT_EQ(error_in("=x:joe:joe:2:/:::\n.\n"),
            (AssignError{1, "\"joe:2\" is not a uid and a gid"}));
  EXPECT_EQ(error_in("=x:joe:1:2:home:::\n.\n"),
            (AssignError{1, "home directory \"home\" does not begin with /"}));
  EXPECT_EQ(error_in(":joe:1:2:/:::\n.\n"), (AssignError{1, "no address before the first colon"}));
}

TEST(Assign, MustEndInADotLestItBeCutOff) {
  constexpr auto text =
      "the file ends here, without a line that is a single dot: it may be cut off";
  EXPECT_EQ(error_in(""), (AssignError{1, text}));
  EXPECT_EQ(error_in("=joe:joe:1:2:/home/joe:::\n"), (AssignError{2, text}));
  EXPECT_EQ(error_in("=joe:joe:1:2:/ho"), (AssignError{1, text}));
}

class UsersCdb : public ::testing::Test {
 protected:
  UsersCdb() { std::filesystem::create_directory("users"); }
  static Status make(std::string_view assign) {
    std::ofstream("users/assign") << assign;
    return make_users_cdb();
  }
  static std::string find(std::string_view local) {
    auto cdb = control::Cdb::open("users/cdb").value();
    const auto user = find_user(cdb, local);
    if (!user) return "error: " + user.error().what;
    if (!*user) return "nobody";
    return (*user)->user + " " + (*user)->dash + (*user)->extension;
  }

  test::TemporaryDirectory here_;
};

TEST_F(UsersCdb, HasWholeAddressesFirstThenTheLongestPrefix) {
  ASSERT_TRUE(
      make("=joe:joe:1:2:/joe:::\n"
           "+joe-:joe:1:2:/joe:-::\n"
           "+joe-list-:lists:1:2:/lists:-:joe-:\n"
           "=joe-list-x:exact:1:2:/x:-:fixed:\n.\n"));
  EXPECT_EQ(find("joe"), "joe ");
  EXPECT_EQ(find("JOE"), "joe ");
  EXPECT_EQ(find("joe-Ext"), "joe -Ext") << "the rest keeps its case";
  EXPECT_EQ(find("joe-"), "joe -");
  EXPECT_EQ(find("joe-list-Y"), "lists -joe-Y");
  EXPECT_EQ(find("joe-list-x"), "exact -fixed");
  EXPECT_EQ(find("joey"), "nobody");
  EXPECT_EQ(find("j"), "nobody");
}

TEST_F(UsersCdb, MayHaveAUserForEverythingElse) {
  ASSERT_TRUE(make("+:alias:7:8:/alias:-::\n.\n"));
  EXPECT_EQ(find("Anybody-at-all"), "alias -Anybody-at-all");
}

TEST_F(UsersCdb, MatchesPrefixesThatEndInACapital) {
  ASSERT_TRUE(make("+ABC:abc:1:2:/abc:-::\n.\n"));
  EXPECT_EQ(find("abcd"), "abc -d");
}

TEST_F(UsersCdb, StaysAsItWasWhenAssignIsBroken) {
  ASSERT_TRUE(make("=joe:joe:1:2:/joe:::\n.\n"));
  const auto made = make("=joe:joe:1:2:/joe:::\n=bob:bob\n.\n");
  ASSERT_FALSE(made);
  EXPECT_EQ(describe(made.error()),
            "bad format in users/assign, line 2: expected 7 colons, found 1");
  EXPECT_EQ(find("joe"), "joe ");
  EXPECT_FALSE(std::filesystem::exists("users/cdb.tmp"));
}

TEST_F(UsersCdb, IsReadableForTheLookUpAndWritableForItsOwner) {
  ASSERT_TRUE(make(".\n"));
  EXPECT_EQ(stat_file("users/cdb")->st_mode & 07777, 0644U);
}

TEST_F(UsersCdb, ThatOthersMadeForOtherPurposesIsAnError) {
  auto writer = control::CdbWriter::create("users/cdb", "users/cdb.tmp", 0644).value();
  ASSERT_TRUE(writer.add("!joe\0"s, "joe"));
  ASSERT_TRUE(writer.commit());
  EXPECT_EQ(find("joe"), "error: users/cdb was not made by qmail-newu: run qmail-newu");
}

class FakeUsers : public UserDatabase {
 public:
  Result<std::optional<SystemUser>> find(const std::string& name) override {
    if (broken.contains(name)) return failure("unable to look up", EIO);
    const auto user = users.find(name);
    if (user == users.end()) return std::nullopt;
    return user->second;
  }
  Result<std::optional<uid_t>> owner_of(const std::string& directory) override {
    if (broken.contains(directory)) return failure("unable to stat", ETIMEDOUT);
    const auto owner = owners.find(directory);
    if (owner == owners.end()) return std::nullopt;
    return owner->second;
  }

  std::map<std::string, SystemUser> users = {{"joe", {"joe", 1000, 100, "/home/joe"}},
                                             {"joe-x", {"joe-x", 1001, 100, "/home/joe-x"}},
                                             {"root", {"root", 0, 0, "/root"}},
                                             {"homeless", {"homeless", 1002, 100, "/nowhere"}},
                                             {"guest", {"guest", 1003, 100, "/home/joe"}},
                                             {"alias", {"alias", 7, 8, "/var/qmail/alias"}}};
  std::map<std::string, uid_t> owners = {
      {"/home/joe", 1000}, {"/home/joe-x", 1001}, {"/root", 0}, {"/var/qmail/alias", 7}};
  std::set<std::string> broken;
};

TEST(Getpw, FindsTheUserWithTheLongestName) {
  FakeUsers users;
  using wire::LocalUser;
  EXPECT_EQ(find_system_user(users, "joe"), (LocalUser{"joe", 1000, 100, "/home/joe", "", ""}));
  EXPECT_EQ(find_system_user(users, "Joe-List"),
            (LocalUser{"joe", 1000, 100, "/home/joe", "-", "List"}));
  EXPECT_EQ(find_system_user(users, "joe-x-y"),
            (LocalUser{"joe-x", 1001, 100, "/home/joe-x", "-", "y"}));
  EXPECT_EQ(find_system_user(users, "joe-"), (LocalUser{"joe", 1000, 100, "/home/joe", "-", ""}));
}

TEST(Getpw, GivesEverythingElseToAlias) {
  FakeUsers users;
  users.users["x"] = {"x", 1005, 100, "/home/x"};
  const std::string long_name(32, 'a');
  users.users[long_name] = {long_name, 1006, 100, "/home/joe"};
  users.owners["/home/joe"] = 1006;
  for (const std::string local : {"nobody", "root", "root-x", "homeless", "guest", "-joe", "joe+x",
                                  "", "x", long_name.c_str()}) {
    const auto user = find_system_user(users, local);
    ASSERT_TRUE(user) << local;
    EXPECT_EQ(*user, (wire::LocalUser{"alias", 7, 8, "/var/qmail/alias", "-", local}));
  }
}

TEST(Getpw, DoesNotTakeTroubleForAnUnknownUser) {
  FakeUsers users;
  users.broken = {"joe"};
  EXPECT_EQ(find_system_user(users, "joe-x-y")->user, "joe-x");
  EXPECT_EQ(find_system_user(users, "joe-y").error(), LocalExit::system_trouble);
  users.broken = {"/home/joe"};
  EXPECT_EQ(find_system_user(users, "joe").error(), LocalExit::file_server_trouble);
  users.broken = {"alias"};
  EXPECT_EQ(find_system_user(users, "bob").error(), LocalExit::system_trouble);
  users = {};
  users.users.erase("alias");
  EXPECT_EQ(find_system_user(users, "bob").error(), LocalExit::no_alias_user);
}

TEST(SystemUsers, AreThoseOfTheSystem) {
  SystemUsers users;
  const auto root = users.find("root").value();
  ASSERT_TRUE(root);
  EXPECT_EQ(root->uid, 0U);
  EXPECT_FALSE(users.find("no-such-user-here").value());
  EXPECT_EQ(users.owner_of("/").value(), 0U);
  EXPECT_EQ(users.owner_of("/no/such/directory").value(), std::nullopt);
}

}  // namespace
}  // namespace postern::spawning

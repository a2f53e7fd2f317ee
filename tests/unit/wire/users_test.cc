#include <gtest/gtest.h>

#include "wire/maildir_name.h"
#include "wire/users_cdb.h"

namespace postern::wire {
namespace {

using namespace std::string_literals;

TEST(LocalUser, IsReadAsItWasWritten) {
  for (const auto& user : {LocalUser{"joe", 1000, 1001, "/home/joe", "-", "Ext"},
                           LocalUser{"joe", 1000, 1001, "/home/joe", "", ""}}) {
    EXPECT_EQ(parse_local_user(format_local_user(user)), user);
    EXPECT_EQ(parse_local_user(format_local_user(user) + '\0'), user) << "as qmail-getpw ends it";
  }
  EXPECT_EQ(format_local_user({"joe", 1000, 1001, "/home/joe", "-", "x"}),
            "joe\0001000\0001001\0/home/joe\0-\0x"s);
}

TEST(LocalUser, NeedsSixFields) {
  EXPECT_FALSE(parse_local_user(""));
  EXPECT_FALSE(parse_local_user("joe\0001\0001\0/\0-"s));
  EXPECT_FALSE(parse_local_user("joe\0001\0001\0/\0-\0x\0y"s));
  EXPECT_FALSE(parse_local_user("joe\0001\0001\0/\0-\0x\0\0"s));
}

TEST(LocalUser, NeedsIdsThatMeanSomebody) {
  EXPECT_TRUE(parse_local_user("joe\0004294967294\0001\0/\0-\0"s));
  EXPECT_FALSE(parse_local_user("joe\0004294967295\0001\0/\0-\0"s)) << "means: do not change";
  EXPECT_FALSE(parse_local_user("joe\0001\0004294967295\0/\0-\0"s)) << "means: do not change";
  EXPECT_FALSE(parse_local_user("joe\0004294967296\0001\0/\0-\0"s));
  EXPECT_FALSE(parse_local_user("joe\0-1\0001\0/\0-\0"s));
  EXPECT_FALSE(parse_local_user("joe\000x\0001\0/\0-\0"s));
  EXPECT_FALSE(parse_local_user("joe\000\0001\0/\0-\0"s));
}

TEST(UserKeys, AreLowerCase) {
  EXPECT_EQ(exact_user_key("Joe"), "!joe\0"s);
  EXPECT_EQ(wildcard_user_key("Joe-"), "!joe-");
  EXPECT_EQ(wildcard_user_key(""), "!");
}

TEST(MaildirName, HoldsTimeProcessAndHost) {
  EXPECT_EQ(format_maildir_name({1700000000, 4711, 0}, "mail.example.org"),
            "1700000000.4711.mail.example.org");
  EXPECT_EQ(format_maildir_name({1700000000, 4711, 2}, "h"), "1700000000.4711_2.h");
}

TEST(MaildirName, IsNeitherAPathNorEndsInFlags) {
  EXPECT_EQ(format_maildir_name({1, 2, 0}, "a/b:c"), "1.2.a\\057b\\072c");
}

TEST(MaildirName, IsKnownWhateverFlagsReadersAdd) {
  EXPECT_EQ(unique_maildir_part("1.2.h:2,S"), "1.2.h");
  EXPECT_EQ(unique_maildir_part("1.2.h"), "1.2.h");
}

}  // namespace
}  // namespace postern::wire

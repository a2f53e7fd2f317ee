#include "wire/mailusers.h"

#include <gtest/gtest.h>

namespace postern::wire {
namespace {

using namespace std::string_literals;

TEST(MailUserLine, HasFourFields) {
  const auto line = parse_mail_user_line("joe@example.org:{PLAIN}secret:vmail:/home/vmail/joe");
  ASSERT_TRUE(line && *line);
  EXPECT_EQ(**line,
            (MailUserLine{
                "joe@example.org", {Secret::Scheme::plain, "secret"}, "vmail", "/home/vmail/joe"}));
}

TEST(MailUserLine, MayHoldColonsInThePassword) {
  const auto line = parse_mail_user_line("joe@x:{PLAIN}a:b::c:vmail:/home/joe  ");
  ASSERT_TRUE(line && *line);
  EXPECT_EQ((*line)->secret.text, "a:b::c");
  EXPECT_EQ((*line)->system_user, "vmail");
  EXPECT_EQ((*line)->home, "/home/joe");
}

TEST(MailUserLine, IsNothingWhenBlankOrAComment) {
  for (const auto* text : {"", "   \t", "# joe@x:{PLAIN}secret:vmail:/home/joe"}) {
    const auto line = parse_mail_user_line(text);
    ASSERT_TRUE(line) << text;
    EXPECT_FALSE(*line) << text;
  }
}

TEST(MailUserLine, IsRefusedWithTheFieldThatMakesNoSense) {
  struct Case {
    std::string line;
    std::string part;  // of the message
  };
  for (const auto& [text, part] : {
           Case{"joe@x", "too few fields"},
           Case{"joe@x:{PLAIN}hunter2", "too few fields"},
           Case{"joe@x:{PLAIN}hunter2:vmail", "too few fields"},
           Case{":", "too few fields"},
           Case{":{PLAIN}hunter2:vmail:/home/joe", "address is empty"},
           Case{"joe smith@x:{PLAIN}hunter2:vmail:/home/joe", "blank"},
           Case{"joe@x:hunter2:vmail:/home/joe", "{CRYPT} or {PLAIN}"},
           Case{"joe@x:{MD5}hunter2:vmail:/home/joe", "{MD5}"},
           Case{"joe@x:{PLAIN}:vmail:/home/joe", "nothing after {PLAIN}"},
           Case{"joe@x:{PLAIN}hunter2::/home/joe", "no system user"},
           Case{"joe@x:{PLAIN}hunter2:vmail:Maildir", "absolute path"},
           Case{"joe@x:{PLAIN}hunter2:vmail:/home/joe\r", "CR LF"},
           Case{"joe@x:{PLAIN}hun\0ter2:vmail:/home/joe"s, "control character"},
       }) {
    const auto line = parse_mail_user_line(text);
    ASSERT_FALSE(line) << text;
    EXPECT_TRUE(line.error().what.contains(part)) << line.error().what;
    EXPECT_FALSE(line.error().what.contains("hunter2")) << line.error().what;
  }
}

TEST(MailUserRecord, IsReadAsItWasWritten) {
  for (const auto& groups : {std::vector<gid_t>{}, {100}, {100, 100, 7}}) {
    const MailUserRecord record{
        {Secret::Scheme::crypt, "$6$salt$hash"}, "vmail", 1001, 1002, groups, "/home/vmail/joe"};
    const auto read = parse_mail_user_record(format_mail_user_record(record));
    ASSERT_TRUE(read);
    EXPECT_EQ(*read, record);
  }
}

TEST(MailUserRecord, HasItsFieldsEndedByNuls) {
  EXPECT_EQ(format_mail_user_record({{Secret::Scheme::plain, "pw"}, "vmail", 5, 6, {7, 8}, "/h"}),
            "{PLAIN}pw\0vmail\0005\0006\0007,8\0/h"s);
}

TEST(MailUserRecord, IsRefusedWhenDamaged) {
  const std::string whole =
      format_mail_user_record({{Secret::Scheme::plain, "pw"}, "vmail", 5, 6, {7, 8}, "/home/joe"});
  for (std::size_t length = 0; length < whole.find('/'); ++length) {
    EXPECT_FALSE(parse_mail_user_record(whole.substr(0, length))) << length;
  }
  EXPECT_FALSE(parse_mail_user_record("{PLAIN}pw\0vmail\0-5\0006\0\0/h"s));
  EXPECT_FALSE(parse_mail_user_record("{PLAIN}pw\0vmail\0005\0006\0x\0/h"s));
}

TEST(MailUserKey, DoesNotRegardCase) {
  EXPECT_EQ(mail_user_key("Joe@Example.ORG"), "joe@example.org");
}

}  // namespace
}  // namespace postern::wire

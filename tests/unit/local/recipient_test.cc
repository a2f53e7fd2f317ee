#include "local/recipient.h"

#include <gtest/gtest.h>

#include <map>

namespace postern::local {
namespace {

constexpr std::int64_t then = 1028301386;  // Fri Aug 2 15:16:26 2002

std::optional<Arguments> parse(const std::vector<std::string>& words) {
  return parse_arguments(words);
}

Recipient recipient() {
  return {"joe", "/home/joe", "Joe-a-b-c-d", "-", "a-b-c-d", "x.y.example.org", "s@h", "./M/"};
}

TEST(Arguments, AreEightInOrder) {
  const auto parsed = parse({"joe", "/home/joe", "joe-x", "-", "x", "example.org", "s@h", "./M/"});
  ASSERT_TRUE(parsed);
  EXPECT_TRUE(parsed->deliver);
  EXPECT_EQ(parsed->recipient.user, "joe");
  EXPECT_EQ(parsed->recipient.home, "/home/joe");
  EXPECT_EQ(parsed->recipient.local, "joe-x");
  EXPECT_EQ(parsed->recipient.dash, "-");
  EXPECT_EQ(parsed->recipient.extension, "x");
  EXPECT_EQ(parsed->recipient.host, "example.org");
  EXPECT_EQ(parsed->recipient.sender, "s@h");
  EXPECT_EQ(parsed->recipient.default_delivery, "./M/");
}

TEST(Arguments, MayBeginWithOptions) {
  const std::vector<std::string> eight = {"j", "/", "", "", "", "", "", ""};
  const auto with = [&](std::vector<std::string> options) {
    options.insert(options.end(), eight.begin(), eight.end());
    return parse(options);
  };
  EXPECT_TRUE(with({"--"})->deliver);
  EXPECT_FALSE(with({"-n"})->deliver);
  EXPECT_TRUE(with({"-nN", "--"})->deliver);
  EXPECT_TRUE(with({"-n", "-N"})->deliver);
  EXPECT_FALSE(with({"-x"}));
  EXPECT_FALSE(with({"--", "one too many"}));
}

TEST(Arguments, NeedAHomeDirectoryFromTheRoot) {
  EXPECT_FALSE(parse({"joe", "home/joe", "joe", "", "", "h", "s", "./M/"}));
  EXPECT_FALSE(parse({"joe", "/home/joe", "joe", "", "", "h", "s"}));
  EXPECT_FALSE(parse({}));
}

TEST(Lines, BeforeTheMessageNameItsWay) {
  EXPECT_EQ(format_delivered_to(recipient()), "Delivered-To: Joe-a-b-c-d@x.y.example.org\n");
  EXPECT_EQ(format_return_path("s@h"), "Return-Path: <s@h>\n");
  EXPECT_EQ(format_return_path(""), "Return-Path: <>\n");
  EXPECT_EQ(format_return_path("a b@h"), "Return-Path: <\"a b\"@h>\n");
  EXPECT_EQ(format_from_line("s@h", then), "From s@h Fri Aug 02 15:16:26 2002\n");
  EXPECT_EQ(format_from_line("", then), "From MAILER-DAEMON Fri Aug 02 15:16:26 2002\n");
}

TEST(Lines, StayOneLineEach) {
  auto to = recipient();
  to.local = "a\nb";
  EXPECT_EQ(format_delivered_to(to), "Delivered-To: a_b@x.y.example.org\n");
  EXPECT_EQ(format_return_path("a\nb@h"), "Return-Path: <\"a\\_b\"@h>\n");
  EXPECT_EQ(format_from_line("a b\tc\nd@h", then), "From a-b-c-d@h Fri Aug 02 15:16:26 2002\n");
}

TEST(Variables, HoldTheAddressAndItsParts) {
  const auto list = format_variables(recipient(), then);
  std::map<std::string_view, std::string> variables(list.begin(), list.end());
  EXPECT_EQ(variables.size(), 16U);
  EXPECT_EQ(variables["USER"], "joe");
  EXPECT_EQ(variables["HOME"], "/home/joe");
  EXPECT_EQ(variables["LOCAL"], "Joe-a-b-c-d");
  EXPECT_EQ(variables["HOST"], "x.y.example.org");
  EXPECT_EQ(variables["RECIPIENT"], "Joe-a-b-c-d@x.y.example.org");
  EXPECT_EQ(variables["SENDER"], "s@h");
  EXPECT_EQ(variables["DTLINE"], "Delivered-To: Joe-a-b-c-d@x.y.example.org\n");
  EXPECT_EQ(variables["RPLINE"], "Return-Path: <s@h>\n");
  EXPECT_EQ(variables["UFLINE"], "From s@h Fri Aug 02 15:16:26 2002\n");
  EXPECT_EQ(variables["EXT"], "a-b-c-d");
  EXPECT_EQ(variables["EXT2"], "b-c-d");
  EXPECT_EQ(variables["EXT3"], "c-d");
  EXPECT_EQ(variables["EXT4"], "d");
  EXPECT_EQ(variables["HOST2"], "x.y.example");
  EXPECT_EQ(variables["HOST3"], "x.y");
  EXPECT_EQ(variables["HOST4"], "x");
}

TEST(Variables, OfShortAddressesAreEmptyOrTheSame) {
  auto to = recipient();
  to.extension = "";
  to.host = "localhost";
  const auto list = format_variables(to, then);
  std::map<std::string_view, std::string> variables(list.begin(), list.end());
  EXPECT_EQ(variables["EXT2"] + variables["EXT3"] + variables["EXT4"], "");
  EXPECT_EQ(variables["HOST4"], "localhost");
}

TEST(SafeExtension, HasNoDotsAndNoCapitals) { EXPECT_EQ(safe_extension("A.b/../C"), "a:b/::/c"); }

}  // namespace
}  // namespace postern::local

#include "mail/address_list.h"

#include <gtest/gtest.h>

namespace postern::mail {
namespace {

using namespace std::string_literals;

const HostDefaults defaults{"dh", "dd.example", "pd.example"};

struct Case {
  std::string text;
  std::vector<std::string> parts;
  std::vector<std::string> addresses;
};

class Completed : public testing::TestWithParam<Case> {};

TEST_P(Completed, IsAsQmailDoesIt) {
  const auto& [text, parts, addresses] = GetParam();
  const auto list = complete_address_list(text, defaults);
  ASSERT_TRUE(list) << text;
  EXPECT_EQ(list->parts, parts) << text;
  EXPECT_EQ(list->addresses, addresses) << text;
}

INSTANTIATE_TEST_SUITE_P(
    Lists, Completed,
    testing::Values(
        // The examples of qmail-header(5).
        Case{"djb@silverton", {"djb@silverton.dd.example"}, {"djb@silverton.dd.example"}},
        Case{"eric@mammoth.cs+", {"eric@mammoth.cs.pd.example"}, {"eric@mammoth.cs.pd.example"}},
        Case{"eric@cs+", {"eric@cs.pd.example"}, {"eric@cs.pd.example"}},
        Case{"djb@[128.32.183.163]", {"djb@[128.32.183.163]"}, {"djb@[128.32.183.163]"}},
        Case{"djb fred",
             {"djb@dh.dd.example", "fred@dh.dd.example"},
             {"djb@dh.dd.example", "fred@dh.dd.example"}},
        Case{" a@b.c, c@d.e (Somebody), A Person <e@f.g>,\n   random group: g@h.i, i@j.k;, k@l.m\n",
             {"a@b.c", "c@d.e (Somebody)", "A Person <e@f.g>", "random group: g@h.i", "i@j.k;",
              "k@l.m"},
             {"a@b.c", "c@d.e", "e@f.g", "g@h.i", "i@j.k", "k@l.m"}},
        Case{"<@a.b,@c.d:joe@e.f>", {"<joe@e.f>"}, {"joe@e.f"}},
        Case{"Joe <@a:joe>", {"Joe <joe@dh.dd.example>"}, {"joe@dh.dd.example"}},
        Case{"@a,@b:joe@e.f", {"@a.dd.example", "joe@e.f"}, {"@a.dd.example", "joe@e.f"}},
        Case{"@a.b:joe@e.f", {"joe@e.f"}, {"joe@e.f"}}));

INSTANTIATE_TEST_SUITE_P(
    Words, Completed,
    testing::Values(
        Case{"", {}, {}}, Case{"\n", {}, {}}, Case{"<>", {"<>"}, {}},
        Case{"joe", {"joe@dh.dd.example"}, {"joe@dh.dd.example"}},
        Case{"joe@", {"joe@dh.dd.example"}, {"joe@dh.dd.example"}},
        Case{"joe (Joe)", {"joe@dh.dd.example (Joe)"}, {"joe@dh.dd.example"}},
        Case{"(Joe) joe", {"(Joe) joe@dh.dd.example"}, {"joe@dh.dd.example"}},
        Case{"joe(x)@(y)host(z)", {"joe(x)@(y)host.dd.example(z)"}, {"joe@host.dd.example"}},
        Case{"joe . smith @ a . b", {"joe . smith @ a . b"}, {"joe.smith@a.b"}},
        Case{"\"joe smith\"@a.b", {"\"joe smith\"@a.b"}, {"joe smith@a.b"}},
        Case{"\"a@b\"@c.d", {"\"a@b\"@c.d"}, {"a@b@c.d"}},
        Case{"joe\\ smith@a.b", {"joe\\ smith@a.b"}, {"joe smith@a.b"}},
        Case{"<joe> (Joe)", {"<joe@dh.dd.example> (Joe)"}, {"joe@dh.dd.example"}},
        Case{"joe@a.b<joe@a.b>", {"joe@a.b<joe@a.b>"}, {"joe@a.b"}},
        Case{"\"J. Smith\" <j@a.b> fred",
             {"\"J. Smith\" <j@a.b>", "fred@dh.dd.example"},
             {"j@a.b", "fred@dh.dd.example"}},
        Case{"J\xc3\xb6rg M\xfcller <j@a.b>", {"J\xc3\xb6rg M\xfcller <j@a.b>"}, {"j@a.b"}},
        Case{"=?utf-8?B?SsO2?= <j@a.b>", {"=?utf-8?B?SsO2?= <j@a.b>"}, {"j@a.b"}},
        Case{"J. R.\n\tSmith <j@a.b>", {"J. R.\n\tSmith <j@a.b>"}, {"j@a.b"}},
        Case{".joe..x.@a.b", {".joe..x.@a.b"}, {".joe..x.@a.b"}},
        Case{"a@[IPv6:2001:db8::1]", {"a@[IPv6:2001:db8::1]"}, {"a@[IPv6:2001:db8::1]"}}));

INSTANTIATE_TEST_SUITE_P(
    Envelopes, Completed,
    testing::Values(Case{"list-@host-@[]", {"list-@host-@[]"}, {"list-@host-@[]"}},
                    Case{"#@[]", {"#@[]"}, {"#@[]"}},
                    Case{"a=b%c!d@e.f", {"a=b%c!d@e.f"}, {"a=b%c!d@e.f"}},
                    Case{"&joe@a.b", {"&joe@a.b"}, {"&joe@a.b"}}));

INSTANTIATE_TEST_SUITE_P(
    Groups, Completed,
    testing::Values(
        Case{"recipient list not shown: ;", {"recipient list not shown:;"}, {}},
        Case{"undisclosed-recipients:;", {"undisclosed-recipients:;"}, {}},
        Case{"undisclosed-recipients:", {"undisclosed-recipients:;"}, {}},
        Case{"<undisclosed-recipients:;>", {"<undisclosed-recipients:;>"}, {}},
        Case{"us: joe, \"x y\" <z@a.b>; , k",
             {"us: joe@dh.dd.example", "\"x y\" <z@a.b>;", "k@dh.dd.example"},
             {"joe@dh.dd.example", "z@a.b", "k@dh.dd.example"}},
        Case{"us: a@b.c; them: d@e.f", {"us: a@b.c;", "them: d@e.f;"}, {"a@b.c", "d@e.f"}},
        Case{"a@b.c; d@e.f;", {"a@b.c", "d@e.f"}, {"a@b.c", "d@e.f"}},
        Case{",, a@b.c,,", {"a@b.c"}, {"a@b.c"}}));

TEST(AddressList, IsRefusedWhenItCannotBeUnderstood) {
  for (const std::string& text : {"joe@(x"s, "\"joe@x"s, "<joe@x"s, "joe@x>"s, "<joe smith@x>"s,
                                  "<joe,fred@x>"s, "[x"s, "<<joe@x>>"s, "a)"s, "jo\0e@x"s}) {
    EXPECT_FALSE(complete_address_list(text, defaults)) << text;
  }
}

TEST(AddressList, OfTenThousandTakesNoTime) {
  std::string text;
  for (int i = 0; i < 10000; ++i) text += "user" + std::to_string(i) + "@example.org,";
  const auto list = complete_address_list(text, defaults);
  ASSERT_TRUE(list);
  EXPECT_EQ(list->addresses.size(), 10000U);
  EXPECT_EQ(list->addresses.back(), "user9999@example.org");
}

TEST(AddressList, TakesGarbageWithoutFalling) {
  // Every pair and triple of bytes that mean something.
  const std::string bytes = "a<>@,;:.()\"[]\\ \n";
  for (const char a : bytes) {
    for (const char b : bytes) {
      for (const char c : bytes) {
        for (const char d : bytes) (void)complete_address_list(std::string{a, b, c, d}, defaults);
      }
    }
  }
}

TEST(HostDefaults, AreCompletedThemselves) {
  EXPECT_EQ(complete_host("a", {"", "b.c", "p"}), "a.b.c");
  EXPECT_EQ(complete_host("a", {"", "", "p"}), "a");
  EXPECT_EQ(complete_host("a.b", {"", "b.c", "p"}), "a.b");
}

TEST(ListField, IsFoldedAtCommas) {
  EXPECT_EQ(format_list_field("To", {"a@b", "c@d"}), "To: a@b, c@d\n");
  EXPECT_EQ(format_list_field("To", {}), "To:\n");
  const std::string field =
      format_list_field("Cc", std::vector<std::string>(9, "somebody@example.org"));
  EXPECT_EQ(field.substr(0, field.find('\n')),
            "Cc: somebody@example.org, somebody@example.org, somebody@example.org,");
  for (std::size_t begin = 0; begin < field.size();) {
    const std::size_t end = field.find('\n', begin);
    EXPECT_LE(end - begin, 78U);
    begin = end + 1;
  }
}

// joe\ completed would read joe\@host: an address without a host, of another user.
TEST(AddressList, CannotCompleteAnAddressThatEndsInABackslash) {
  for (const auto* text : {"joe\\", "joe\\\n", "joe\\\n ann", "<joe\\\n >", "joe@host\\"}) {
    EXPECT_FALSE(complete_address_list(text, defaults)) << text;
  }
  EXPECT_TRUE(complete_address_list("joe\\\\, C:\\ <ann>", defaults));
}

// What completes joe@"" would be a word of its own, another address; in joe@"cs+" the plus sign is
// not where it would be taken away.
TEST(AddressList, HasNoQuotedHosts) {
  for (const auto* text : {"joe@\"\"", "joe@\"cs+\"", "<joe@\"a\".b>", "@\"\"d@"}) {
    EXPECT_FALSE(complete_address_list(text, defaults)) << text;
  }
  EXPECT_TRUE(complete_address_list("\"joe@x\"@host", defaults));
}

}  // namespace
}  // namespace postern::mail

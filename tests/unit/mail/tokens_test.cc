#include "mail/tokens.h"

#include <gtest/gtest.h>

namespace postern::mail {
namespace {

std::vector<std::string> words(std::string_view text) {
  std::vector<std::string> words;
  const auto tokens = tokenize(text);
  EXPECT_TRUE(tokens) << text;
  for (const auto& token : tokens.value()) words.emplace_back(token.in(text));
  return words;
}

TEST(Tokens, AreAtomsStringsLiteralsCommentsAndSpecials) {
  EXPECT_EQ(words("A \"B\\\" C\" (d (e) \\) f)\n <g.h@[192.0.2.1]>,;:"),
            (std::vector<std::string>{"A", "\"B\\\" C\"", "(d (e) \\) f)", "<", "g", ".", "h", "@",
                                      "[192.0.2.1]", ">", ",", ";", ":"}));
}

TEST(Tokens, CoverEveryByteThatIsNotBlank) {
  const std::string text = "J\xc3\xb6 \\\"x =?utf-8?Q?a?= <a\\ b@c>";
  std::string joined;
  for (const auto& word : words(text)) joined += word;
  EXPECT_EQ(joined, "J\xc3\xb6\\\"x=?utf-8?Q?a?=<a\\ b@c>");
}

TEST(Tokens, MustBeBalanced) {
  for (const auto* text : {"\"a", "(a", "[a", "a)", "a]", "(a\\)", "\"a\\\"", "((a)"}) {
    EXPECT_FALSE(tokenize(text)) << text;
  }
}

TEST(Tokens, MayEndInABackslash) { EXPECT_EQ(words("a\\"), (std::vector<std::string>{"a\\"})); }

TEST(Unquote, TakesQuotesAndBackslashesAway) {
  EXPECT_EQ(unquote("\"a b\\\"c\\\\d\""), "a b\"c\\d");
  EXPECT_EQ(unquote("a\\ b"), "a b");
  EXPECT_EQ(unquote("[1.2.3.4]"), "[1.2.3.4]");
  EXPECT_EQ(unquote("\"a\n b\""), "a b");
  EXPECT_EQ(unquote("\"\""), "");
}

}  // namespace
}  // namespace postern::mail

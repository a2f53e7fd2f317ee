// The dialogue before the login: what goes to the checker, and what never does.
#include "pop3/login_session.h"

#include <gtest/gtest.h>

namespace postern::pop3 {
namespace {

using std::string_literals::operator""s;

constexpr const char* challenge = "<4711.1700000000@mail.example.org>";

class Login : public testing::Test {
 protected:
  std::string say(std::string_view line) {
    const LoginReply reply = session_.feed(line);
    if (reply.credentials) return "credentials " + *reply.credentials;
    return reply.quit ? "quit " + reply.text : reply.text;
  }
  LoginSession session_{challenge};
};

TEST_F(Login, GreetsWithTheChallenge) {
  EXPECT_EQ(session_.greet(), "+OK <4711.1700000000@mail.example.org>\r\n");
}

TEST_F(Login, PasswordGoesToTheCheckerWithTheChallenge) {
  EXPECT_EQ(say("USER joe\r"), "+OK \r\n");
  EXPECT_EQ(say("PASS secret\r"), "credentials joe\0secret\0<4711.1700000000@mail.example.org>\0"s);
}

TEST_F(Login, VerbsComeInAnyCaseAndLinesWithoutCr) {
  EXPECT_EQ(say("uSeR   joe"), "+OK \r\n");
  EXPECT_EQ(say("pass secret"), "credentials joe\0secret\0<4711.1700000000@mail.example.org>\0"s);
}

TEST_F(Login, BlanksInAndAfterAPasswordArePartOfIt) {
  say("USER joe");
  EXPECT_EQ(say("PASS two words \r"),
            "credentials joe\0two words \0<4711.1700000000@mail.example.org>\0"s);
}

TEST_F(Login, LastUserCounts) {
  say("USER joe");
  say("USER jim");
  EXPECT_EQ(say("PASS x"), "credentials jim\0x\0<4711.1700000000@mail.example.org>\0"s);
}

TEST_F(Login, ApopDigestStandsInThePasswordsPlace) {
  EXPECT_EQ(say("APOP mrose c4c9334bac560ecc979e58001b3e22fb\r"),
            "credentials mrose\0c4c9334bac560ecc979e58001b3e22fb\0"
            "<4711.1700000000@mail.example.org>\0"s);
}

TEST_F(Login, IncompleteCommandsAreSyntaxErrors) {
  for (const char* line : {"USER", "USER ", "APOP", "APOP joe", "APOP joe "}) {
    EXPECT_EQ(say(line), "-ERR syntax error\r\n") << line;
  }
  say("USER joe");
  EXPECT_EQ(say("PASS"), "-ERR syntax error\r\n");
}

TEST_F(Login, PassNeedsUser) { EXPECT_EQ(say("PASS secret"), "-ERR USER first\r\n"); }

TEST_F(Login, NulCannotMoveFieldsOfTheChecker) {
  EXPECT_EQ(say("USER joe\0hers"s), "-ERR syntax error\r\n");
  EXPECT_EQ(say("PASS x"), "-ERR USER first\r\n");
  say("USER joe");
  EXPECT_EQ(say("PASS x\0y"s), "-ERR syntax error\r\n");
  EXPECT_EQ(say("APOP joe\0x y"s), "-ERR syntax error\r\n");
}

TEST_F(Login, EverythingElseWantsTheLoginFirst) {
  for (const char* line : {"STAT", "LIST", "RETR 1", "DELE 1", "NOOP", "", " ", "USERjoe", "\r"}) {
    EXPECT_EQ(say(line), "-ERR authorization first\r\n") << line;
  }
}

TEST_F(Login, CapabilitiesCanBeAskedForAndEndWithADot) {
  const std::string text = say("CAPA");
  EXPECT_TRUE(text.starts_with("+OK "));
  for (const char* line : {"\r\nUSER\r\n", "\r\nUIDL\r\n", "\r\nTOP\r\n", "\r\n.\r\n"}) {
    EXPECT_TRUE(text.contains(line)) << line;
  }
}

TEST_F(Login, QuitEndsIt) { EXPECT_EQ(say("QUIT\r"), "quit +OK \r\n"); }

}  // namespace
}  // namespace postern::pop3

#include "smtpd/auth_exchange.h"

#include <gtest/gtest.h>

#include "base/base64.h"

namespace postern::smtpd {
namespace {

using namespace std::string_literals;
using State = AuthExchange::State;

constexpr const char* challenge = "<1896.697170952@postoffice.reston.mci.net>";
constexpr const char* digest = "b913a602c7eda7a495b4e6e7334d3890";

AuthSetup form_a() { return parse_auth_setup({"host", "/c", "/bin/true"}, {}, "local"); }
AuthSetup form_b(const std::string& mode) {
  return parse_auth_setup({"/c", "/bin/true"}, mode, "local");
}

TEST(Mechanisms, AreFoundInAnyCaseWhereTheyAreOffered) {
  EXPECT_EQ(find_mechanism(form_a(), "cram-md5"), Mechanism::cram_md5);
  EXPECT_EQ(find_mechanism(form_a(), "Login"), Mechanism::login);
  EXPECT_EQ(find_mechanism(form_b(""), "CRAM-MD5"), std::nullopt);
  EXPECT_EQ(find_mechanism(form_b("cram"), "PLAIN"), std::nullopt);
  EXPECT_EQ(find_mechanism(form_a(), ""), std::nullopt);
}

// The worked vectors of docs/wire/checkpassword.md.
TEST(CheckerBytes, AreOrderedAsEachFormHasThem) {
  const Credentials tim{"tim", digest, challenge};
  EXPECT_EQ(format_for_checker(form_a(), Mechanism::cram_md5, tim),
            "tim\0"s + challenge + "\0"s + digest + "\0"s);
  EXPECT_EQ(format_for_checker(form_b("cram"), Mechanism::cram_md5, tim),
            "tim\0"s + digest + "\0"s + challenge + "\0"s);
  const Credentials joe{"joe", "secret", ""};
  EXPECT_EQ(format_for_checker(form_a(), Mechanism::plain, joe), "joe\0secret\0\0"s);
  EXPECT_EQ(format_for_checker(form_b(""), Mechanism::plain, joe), "joe\0secret\0"s);
  EXPECT_EQ(format_for_checker(form_b("+cram"), Mechanism::login, joe), "joe\0secret\0\0"s);
}

TEST(PlainExchange, TakesTheInitialResponseOrAsks) {
  AuthExchange at_once(Mechanism::plain, AuthForm::host_first, "");
  EXPECT_EQ(at_once.begin("AGpvZQBzZWNyZXQ="), State::complete);
  EXPECT_EQ(at_once.credentials().user, "joe");
  EXPECT_EQ(at_once.credentials().secret, "secret");

  AuthExchange asked(Mechanism::plain, AuthForm::host_first, "");
  EXPECT_EQ(asked.begin(std::nullopt), State::asking);
  EXPECT_EQ(asked.prompt(), "");
  EXPECT_EQ(asked.feed(format_base64("other\0joe\0secret"s)), State::complete);
  EXPECT_EQ(asked.credentials().user, "joe");
}

TEST(LoginExchange, AsksForWhatItHasNot) {
  AuthExchange exchange(Mechanism::login, AuthForm::host_first, "");
  EXPECT_EQ(exchange.begin(std::nullopt), State::asking);
  EXPECT_EQ(exchange.prompt(), "VXNlcm5hbWU6");
  EXPECT_EQ(exchange.feed("am9l"), State::asking);
  EXPECT_EQ(exchange.prompt(), "UGFzc3dvcmQ6");
  EXPECT_EQ(exchange.feed("c2VjcmV0"), State::complete);
  EXPECT_EQ(exchange.credentials().secret, "secret");

  AuthExchange shorter(Mechanism::login, AuthForm::host_first, "");
  EXPECT_EQ(shorter.begin("am9l"), State::asking);
  EXPECT_EQ(shorter.prompt(), "UGFzc3dvcmQ6");
}

TEST(CramExchange, SplitsAtTheFirstOrTheLastBlankAsTheFormHasIt) {
  const std::string response = format_base64("tim tam "s + digest);
  AuthExchange b(Mechanism::cram_md5, AuthForm::checker_first, challenge);
  EXPECT_EQ(b.begin(std::nullopt), State::asking);
  EXPECT_EQ(b.prompt(), "PDE4OTYuNjk3MTcwOTUyQHBvc3RvZmZpY2UucmVzdG9uLm1jaS5uZXQ+");
  EXPECT_EQ(b.feed(response), State::complete);
  EXPECT_EQ(b.credentials().user, "tim tam");
  EXPECT_EQ(b.credentials().secret, digest);
  EXPECT_EQ(b.credentials().challenge, challenge);

  AuthExchange a(Mechanism::cram_md5, AuthForm::host_first, challenge);
  EXPECT_EQ(a.feed(response), State::malformed);
  AuthExchange plain(Mechanism::cram_md5, AuthForm::host_first, challenge);
  EXPECT_EQ(plain.feed(format_base64("tim "s + digest)), State::complete);
  EXPECT_EQ(plain.credentials().user, "tim");
}

TEST(AnyExchange, RefusesRubbishAndEmptyParts) {
  const auto plain = [](std::string_view response) {
    return AuthExchange(Mechanism::plain, AuthForm::host_first, "").begin(response);
  };
  for (const auto& text : {"joe"s, "\0joe"s, "\0\0secret"s, "\0joe\0"s, "\0joe\0se\0cret"s, ""s}) {
    EXPECT_EQ(plain(format_base64(text)), State::malformed) << text;
  }
  for (const auto* line : {"", "=", "====", "rubbish!", "AGpvZQBzZWNyZXQ", " AGpvZQBzZWNyZXQ="}) {
    EXPECT_EQ(plain(line), State::malformed) << line;
  }
  EXPECT_EQ(plain("*"), State::cancelled);
  AuthExchange login(Mechanism::login, AuthForm::host_first, "");
  EXPECT_EQ(login.begin(format_base64("jo\0e"s)), State::asking);
  EXPECT_EQ(login.feed("c2VjcmV0"), State::malformed);
  for (const auto& text : {"tim"s, " "s, "tim "s, " "s + digest, "tim tanstaaftanstaaf"s,
                           "tim "s + digest + "0", "tim B913A602C7EDA7A495B4E6E7334D3890"s}) {
    AuthExchange cram(Mechanism::cram_md5, AuthForm::checker_first, challenge);
    EXPECT_EQ(cram.feed(format_base64(text)), State::malformed) << text;
  }
  EXPECT_EQ(AuthExchange(Mechanism::cram_md5, AuthForm::host_first, challenge).begin("dGlt"),
            State::malformed);
}

}  // namespace
}  // namespace postern::smtpd

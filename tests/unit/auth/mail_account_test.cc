#include "auth/mail_account.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "auth/mail_users_compiler.h"

namespace postern::auth {
namespace {

using wire::CheckRequest;

constexpr const char* challenge = "<1896.697170952@postoffice.reston.mci.net>";
constexpr const char* digest = "b913a602c7eda7a495b4e6e7334d3890";  // of tanstaaftanstaaf
// Of "hunter2".
constexpr const char* md5_hash = "$1$abcdefgh$vhxKZ/s1ygZHyCEDPyqtQ/";

Result<std::optional<SystemUser>> find_test_user(const std::string& name) {
  if (name == "vmail") return SystemUser{name, {1005, 1006, {1006, 7}}, "/", "/bin/sh", "x"};
  if (name == "root") return SystemUser{name, {0, 0, {}}, "/root", "/bin/sh", "x"};
  if (name == "broken") return failure("unable to look up user broken", EIO);
  return std::nullopt;
}

Result<std::optional<Identity>> nobody_else() { return std::nullopt; }

// A qmail home with users/mailusers in it.
class MailUsers : public testing::Test {
 protected:
  void SetUp() override {
    home_ = (std::filesystem::temp_directory_path() / "mailusers-XXXXXX").string();
    ASSERT_NE(::mkdtemp(home_.data()), nullptr);
    std::filesystem::create_directory(home_ + "/users");
  }
  void TearDown() override { std::filesystem::remove_all(home_); }

  Status compile(const std::string& text) {
    std::ofstream(home_ + "/users/mailusers") << text;
    return compile_mail_users(home_, find_test_user, nobody_else);
  }
  bool accepts(const CheckRequest& request) {
    const auto account = verify_mail_user(home_, request);
    EXPECT_TRUE(account) << account.error().what;
    return account && account->has_value();
  }
  std::string message_for(const std::string& text) {
    const auto compiled = compile(text);
    return compiled ? "" : describe(compiled.error());
  }

  std::string home_;
};

const std::string two_accounts =
    std::string("# people\n\ntim@example.org:{PLAIN}tanstaaftanstaaf:") +
    "vmail:/home/vmail/tim\nAnn@Example.org:{CRYPT}" + md5_hash + ":vmail:/home/vmail/ann\n";

TEST_F(MailUsers, AreTheirSystemUserInTheirOwnHome) {
  ASSERT_TRUE(compile(two_accounts));
  const auto account = verify_mail_user(home_, {"TIM@example.org", "tanstaaftanstaaf", ""});
  ASSERT_TRUE(account && *account);
  EXPECT_EQ((*account)->user, "tim@example.org");
  EXPECT_EQ((*account)->home, "/home/vmail/tim");
  EXPECT_EQ((*account)->identity.uid, 1005U);
  EXPECT_EQ((*account)->identity.gid, 1006U);
  EXPECT_EQ((*account)->identity.groups, (std::vector<gid_t>{1006, 7}));
}

TEST_F(MailUsers, LogInWithTheRightPasswordAlone) {
  ASSERT_TRUE(compile(two_accounts));
  EXPECT_TRUE(accepts({"tim@example.org", "tanstaaftanstaaf", {}}));
  EXPECT_TRUE(accepts({"ann@example.org", "hunter2", ""}));
  EXPECT_FALSE(accepts({"tim@example.org", "tanstaaf", {}}));
  EXPECT_FALSE(accepts({"ann@example.org", "hunter3", {}}));
  EXPECT_FALSE(accepts({"ann@example.org", md5_hash, {}}));
  EXPECT_FALSE(accepts({"tim@example.org", "", {}}));
}

TEST_F(MailUsers, AreRejectedWhenUnknown) {
  ASSERT_TRUE(compile(two_accounts));
  EXPECT_FALSE(accepts({"bob@example.org", "hunter2", {}}));
  EXPECT_FALSE(accepts({"bob@example.org", digest, challenge}));
  EXPECT_FALSE(accepts({"tim", "tanstaaftanstaaf", {}}));
  EXPECT_FALSE(accepts({"", "hunter2", {}}));  // the decoy's key
}

TEST_F(MailUsers, AnswerAChallengeInEitherOrder) {
  ASSERT_TRUE(compile(two_accounts));
  EXPECT_TRUE(accepts({"tim@example.org", challenge, digest}));
  EXPECT_TRUE(accepts({"tim@example.org", digest, challenge}));
  EXPECT_FALSE(accepts({"tim@example.org", "<1@x>", digest}));
  EXPECT_FALSE(accepts({"tim@example.org", digest, "<1@x>"}));
}

TEST_F(MailUsers, WithAHashCannotAnswerAChallenge) {
  ASSERT_TRUE(compile(two_accounts));
  EXPECT_FALSE(accepts({"ann@example.org", challenge, digest}));
  EXPECT_FALSE(accepts({"ann@example.org", digest, challenge}));
}

TEST_F(MailUsers, MayHaveAPasswordThatLooksLikeADigest) {
  ASSERT_TRUE(compile("tim@x:{PLAIN}0123456789abcdef0123456789abcdef:vmail:/home/tim\n"));
  // qmail-popup sends its challenge with an ordinary password too.
  EXPECT_TRUE(accepts({"tim@x", "0123456789abcdef0123456789abcdef", "<1.2@host>"}));
  EXPECT_FALSE(accepts({"tim@x", "<1.2@host>", "0123456789abcdef0123456789abcdef"}));
}

TEST_F(MailUsers, CannotBeToldWithoutTheCompiledFile) {
  const auto account = verify_mail_user(home_, {"tim@x", "secret", {}});
  ASSERT_FALSE(account);
  EXPECT_TRUE(account.error().what.contains("qmail-newmailusers"));
}

TEST_F(MailUsers, CannotBeToldFromADamagedFile) {
  std::ofstream(home_ + "/users/mailusers.cdb") << "rubbish";
  EXPECT_FALSE(verify_mail_user(home_, {"tim@x", "secret", {}}));
}

TEST_F(MailUsers, AreReadableByTheCheckerAlone) {
  ASSERT_TRUE(compile(two_accounts));
  const auto mode = std::filesystem::status(home_ + "/users/mailusers.cdb").permissions();
  EXPECT_EQ(mode, std::filesystem::perms::owner_read);
  EXPECT_FALSE(std::filesystem::exists(home_ + "/users/mailusers.cdb.tmp"));
}

TEST_F(MailUsers, OfABadFileAreRefusedByLine) {
  struct Case {
    std::string text;
    std::string message;
  };
  const std::string good = "tim@x:{PLAIN}secret:vmail:/home/tim\n";
  for (const auto& [text, message] : {
           Case{good + "joe@x:{PLAIN}pw\n", "line 2: too few fields"},
           Case{good + "\n# x\nTIM@X:{PLAIN}pw:vmail:/h\n",
                "line 4: TIM@X is there already, in line 1"},
           Case{"joe@x:{CRYPT}hunter2:vmail:/h\n", "line 1: joe@x: {CRYPT}... is no hash"},
           Case{"joe@x:{CRYPT}$9$salt$hunter2:vmail:/h\n", "{CRYPT}$9$... is no hash"},
           Case{"joe@x:{SSHA}hunter2:vmail:/h", "{SSHA}: begin it with {CRYPT} or {PLAIN}"},
           Case{"joe@x:{PLAIN}hunter2:nosuch:/h", "no system user nosuch"},
           Case{"joe@x:{PLAIN}hunter2:root:/h", "root"},
           Case{"joe@x:{PLAIN}hunter2:broken:/h", "unable to look up"},
       }) {
    const std::string said = message_for(text);
    EXPECT_TRUE(said.starts_with("users/mailusers line ")) << said;
    EXPECT_TRUE(said.contains(message)) << said;
    EXPECT_FALSE(said.contains("hunter2")) << said;
  }
}

TEST_F(MailUsers, StayAsTheyWereWhenTheNewFileIsBad) {
  ASSERT_TRUE(compile(two_accounts));
  EXPECT_FALSE(compile("rubbish\n"));
  EXPECT_TRUE(accepts({"ann@example.org", "hunter2", {}}));
}

TEST_F(MailUsers, AreNotCompiledForAnOwnerWhoDoesNotExist) {
  ASSERT_TRUE(compile(two_accounts));
  const auto compiled = compile_mail_users(
      home_, find_test_user, []() -> Result<std::optional<Identity>> { return failure("nobody"); });
  EXPECT_FALSE(compiled);
  EXPECT_TRUE(accepts({"ann@example.org", "hunter2", {}}));
}

TEST_F(MailUsers, NeedTheirTextToBeCompiled) {
  const auto compiled = compile_mail_users(home_, find_test_user, nobody_else);
  ASSERT_FALSE(compiled);
  EXPECT_TRUE(describe(compiled.error()).contains("users/mailusers: No such file"));
}

TEST_F(MailUsers, MayBeNone) {
  ASSERT_TRUE(compile("# nobody yet\n"));
  EXPECT_FALSE(accepts({"tim@x", "secret", {}}));
}

TEST(Secret, OfAMixedFileIsCheckedAgainstTheDecoyWhenWrong) {
  // A hash that costs a second shows that the decoy is worked on, and on success is not.
  const auto takes_long = [](const CheckRequest& request, const wire::Secret& secret) {
    const auto before = std::chrono::steady_clock::now();
    EXPECT_TRUE(proves_secret(request, secret, "$6$rounds=100000$abcdefgh$"));
    return std::chrono::steady_clock::now() - before > std::chrono::milliseconds(5);
  };
  const wire::Secret plain{wire::Secret::Scheme::plain, "secret"};
  EXPECT_TRUE(takes_long({"tim", "wrong", {}}, plain));
  EXPECT_FALSE(takes_long({"tim", "secret", {}}, plain));
}

}  // namespace
}  // namespace postern::auth

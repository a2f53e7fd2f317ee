#include "inject/run_sendmail.h"

#include <gtest/gtest.h>
#include <pwd.h>
#include <unistd.h>

#include <map>
#include <optional>

#include "posix/environment.h"
#include "support/temporary_directory.h"

namespace postern::inject {
namespace {

// A qmail home without programs, so that nothing takes the test's place.
class RunSendmail : public testing::Test {
 protected:
  void SetUp() override { set_environment_variable("QMAILHOME", directory_.path()); }
  void TearDown() override {
    for (const auto* name : {"QMAILHOME", "QMAILUSER", "QMAILHOST", "MAILNAME"}) {
      unset_environment_variable(name);
    }
  }
  static Outcome run(std::vector<const char*> words) {
    words.insert(words.begin(), "sendmail");
    return run_sendmail(words);
  }
  test::TemporaryDirectory directory_;
};

TEST_F(RunSendmail, IsTemporaryTroubleWithoutTheProgramItBecomes) {
  for (const auto& [word, program] :
       {std::pair{"joe", "/bin/qmail-inject"}, {"-bs", "qmail-smtpd"}, {"-bp", "qmail-qread"}}) {
    const auto outcome = run({word});
    EXPECT_EQ(outcome.exit_code, 111);
    EXPECT_TRUE(outcome.problem.starts_with("unable to run ")) << outcome.problem;
    EXPECT_TRUE(outcome.problem.contains(program)) << outcome.problem;
  }
}

TEST_F(RunSendmail, MakesTheSenderTheAuthor) {
  (void)run({"-f", "joe@example.org", "-F", "Joe", "bob"});
  EXPECT_EQ(environment_variable("QMAILUSER"), "joe");
  EXPECT_EQ(environment_variable("QMAILHOST"), "example.org");
  EXPECT_EQ(environment_variable("MAILNAME"), "Joe");
}

TEST_F(RunSendmail, LeavesTheAuthorAloneForANullSender) {
  (void)run({"-f", "<>", "bob"});
  (void)run({"-f", "", "bob"});
  EXPECT_FALSE(environment_variable("QMAILUSER"));
  (void)run({"-f", "joe", "bob"});
  EXPECT_EQ(environment_variable("QMAILUSER"), "joe");
  EXPECT_FALSE(environment_variable("QMAILHOST"));
}

TEST_F(RunSendmail, FindsOutWhoCallsItWhereTheEnvironmentDoesNotSay) {
  const auto* entry = ::getpwuid(::getuid());
  ASSERT_NE(entry, nullptr);
  const std::string caller = entry->pw_name;
  const std::map<std::string, std::optional<std::string>> before = {
      {"USER", environment_variable("USER")}, {"LOGNAME", environment_variable("LOGNAME")}};
  unset_environment_variable("USER");
  set_environment_variable("LOGNAME", "");
  (void)run({"bob"});
  EXPECT_EQ(environment_variable("LOGNAME"), caller);
  for (const auto* name : {"LOGNAME", "USER", "MAILUSER", "QMAILUSER"}) {
    unset_environment_variable("LOGNAME");
    set_environment_variable(name, "somebody");
    (void)run({"bob"});
    EXPECT_NE(environment_variable("LOGNAME"), caller) << name;
    unset_environment_variable(name);
  }
  for (const auto& [name, value] : before) {
    if (value) set_environment_variable(name.c_str(), *value);
  }
}

TEST_F(RunSendmail, DoesWhatIsNoWork) {
  EXPECT_EQ(run({"-q"}).exit_code, 0);
  const std::vector<const char*> newaliases = {"newaliases"};
  EXPECT_EQ(run_sendmail(newaliases).exit_code, 0);
}

TEST_F(RunSendmail, RefusesWhatItCannotDo) {
  EXPECT_EQ(run({"-bv", "joe"}).exit_code, 100);
  EXPECT_EQ(run_sendmail({}).exit_code, 100);
}

}  // namespace
}  // namespace postern::inject

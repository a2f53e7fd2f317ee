#include "admin/control_checks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "control/cdb.h"
#include "unit/admin/control_fixture.h"

namespace postern::admin {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class ControlChecks : public ControlDirectory {
 protected:
  ControlChecks() {
    ::umask(022);
    put_sound_site();
  }
  // These words, in the one warning there is.
  static void expect_warning(const std::string& words) {
    EXPECT_THAT(check_control_files(), ElementsAre(HasSubstr(words)));
  }
};

TEST_F(ControlChecks, HaveNothingAgainstASoundSite) {
  put("badmailfrom", "joe@spam.example\n@spam.example\n");
  put("smtproutes", ":relay.example.com\nintern.example:\n");
  put("concurrencyremote", "120\n");
  EXPECT_THAT(check_control_files(), IsEmpty());
}

TEST_F(ControlChecks, GuessWhatAMisspeltNameWasMeantToBe) {
  put("rcpthost", "");
  put("Badmailfrom", "");
  put("morercpthosts.lock", "");
  put(".backup", "");
  put("servercert.pem", "");
  EXPECT_THAT(check_control_files(),
              ElementsAre("control/Badmailfrom is read by nothing: is it meant to be "
                          "control/badmailfrom?",
                          "control/rcpthost is read by nothing: is it meant to be "
                          "control/rcpthosts?",
                          "control/servercert.pem is read by nothing."));
}

TEST_F(ControlChecks, WantAFullNameInMe) {
  put("me", "mail\n");
  EXPECT_THAT(check_control_files(), ElementsAre(HasSubstr("no full host name")));
  std::filesystem::remove("control/me");
  EXPECT_THAT(check_control_files(), ElementsAre(HasSubstr("write this host's name into it")));
}

TEST_F(ControlChecks, SayThatAbsentRcpthostsMeansMeAlone) {
  std::filesystem::remove("control/rcpthosts");
  EXPECT_THAT(check_control_files(), ElementsAre(HasSubstr("control/rcpthosts is absent"),
                                                 HasSubstr("control/locals has \"example.org\"")));
}

TEST_F(ControlChecks, FindRcpthostsThatMatchTooMuchOrNothing) {
  put("rcpthosts", "mail.example.org\nexample.org\n.org\njoe@example.com\n.\n");
  EXPECT_THAT(check_control_files(), ElementsAre(HasSubstr("every host in org"),
                                                 HasSubstr("leave out what is before the '@'"),
                                                 HasSubstr("host name ending in a dot")));
}

TEST_F(ControlChecks, MissLocalAndVirtualDomainsInRcpthosts) {
  put("virtualdomains",
      "example.net:joe\n.example.net:joe\njane@example.com:jane\nshop.example.org:shop\n"
      "left.example:\n");
  put("rcpthosts", "mail.example.org\nexample.org\n.example.org\nEXAMPLE.COM\n");
  expect_warning("control/virtualdomains has \"example.net\"");
  put("rcpthosts", "mail.example.org\n.example.org\nexample.net\nexample.com\n");
  expect_warning("control/locals has \"example.org\"");
}

TEST_F(ControlChecks, LookIntoMorercpthostsToo) {
  put("rcpthosts", "mail.example.org\n");
  expect_warning("control/locals has \"example.org\"");
  auto writer = control::CdbWriter::create("control/morercpthosts.cdb", "control/tmp", 0644);
  ASSERT_TRUE(writer && writer->add("example.org", "") && writer->commit());
  EXPECT_THAT(check_control_files(), IsEmpty());
}

TEST_F(ControlChecks, SayWhenMorercpthostsWaitsForQmailNewmrh) {
  put("morercpthosts", "example.com\n");
  expect_warning("run qmail-newmrh");
}

TEST_F(ControlChecks, FindHostsThroughWhichStrangersReachAnybody) {
  put("percenthack", "inside.example\nExample.org\n");
  expect_warning("with user%host@Example.org they send through this host to anybody");
}

TEST_F(ControlChecks, FindARouteThatIsNeverTaken) {
  put("smtproutes", "Example.org:relay.example.com\n:relay.example.com\nexample.net:\n");
  expect_warning("control/smtproutes has \"Example.org\", but so has control/locals");
}

TEST_F(ControlChecks, FindADomainThatIsBothLocalAndVirtual) {
  put("virtualdomains", "Example.org:joe\n");
  expect_warning("so has control/locals");
}

TEST_F(ControlChecks, FindLinesWithoutAColonAndLinesThatALaterOneHides) {
  put("smtproutes", "example.net:a.example\nEXAMPLE.NET:b.example\nsecret |user|password\n");
  const auto warnings = check_control_files();
  EXPECT_THAT(warnings, ElementsAre(HasSubstr("more than one line for \"example.net\""),
                                    HasSubstr("begins with \"secret\" and has no colon")));
  put("smtproutes", "example.net:a.example\nexample.net:a.example\n");
  EXPECT_THAT(check_control_files(), IsEmpty());
}

TEST_F(ControlChecks, FindCredentialsThatAreNotBase64) {
  put("smtproutes",
      ":relay.example am9l c2VjcmV0\n.a:relay.example joe secret\n.b:r.example am9l\n");
  ASSERT_EQ(::chmod("control/smtproutes", 0640), 0);
  EXPECT_THAT(check_control_files(),
              ElementsAre(HasSubstr("entry 2: the user name is not base64"),
                          HasSubstr("entry 3: after the relay it needs user and password")));
}

TEST_F(ControlChecks, FindPlainCredentialsThatAreNotWhole) {
  put("smtproutes",
      "a:r.example|joe|secret\nb:r.example|joe\nc:r.example||secret\nd:r.example|joe|\n");
  ASSERT_EQ(::chmod("control/smtproutes", 0640), 0);
  EXPECT_THAT(check_control_files(),
              ElementsAre(HasSubstr("entry 2: after the relay it needs both: |user|password."),
                          HasSubstr("entry 3: "), HasSubstr("entry 4: ")));
}

TEST_F(ControlChecks, FindRelaysAndPortsThatAreNone) {
  put("smtproutes", "a:r.example:587\nb:r.example:smtp\nc:re/lay\nd:\ne:r.example:0\n");
  EXPECT_THAT(
      check_control_files(),
      ElementsAre("control/smtproutes, entry 2: the port is not a number from 1 to 65535. Mail for "
                  "this route stays in the queue.",
                  HasSubstr("entry 3: the relay is neither a host name nor an address"),
                  HasSubstr("entry 5: the port")));
}

TEST_F(ControlChecks, FindPasswordsThatEverybodyMayRead) {
  put("authsenders", "joe@example.org:relay.example|joe|secret\n");
  expect_warning("chmod 640 control/authsenders");
  ASSERT_EQ(::chmod("control/authsenders", 0640), 0);
  EXPECT_THAT(check_control_files(), IsEmpty());
}

TEST_F(ControlChecks, FindAddressesThatAreNone) {
  put("badrcptto", "spam.example\n");
  expect_warning("write user@host or @host");
}

TEST_F(ControlChecks, FindNumbersThatMeanSomethingElse) {
  put("concurrencylocal", "0\n");
  expect_warning("no such deliveries are made");
  put("concurrencylocal", "200\n");
  expect_warning("fixed when the suite was built");
  put("concurrencylocal", "500\n");
  EXPECT_THAT(check_control_files(), IsEmpty());
  put("concurrencylocal", "70000\n");
  expect_warning("the most there can be is 65535");
  put("concurrencylocal", "10\n");
  put("timeoutsmtpd", "0\n");
  expect_warning("no time for anything");
}

TEST_F(ControlChecks, WantADefaultDelivery) {
  put("defaultdelivery", "\n");
  expect_warning("write ./Maildir/ into it");
}

}  // namespace
}  // namespace postern::admin

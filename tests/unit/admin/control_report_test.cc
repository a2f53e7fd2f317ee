#include "admin/control_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "admin/control_sample.h"
#include "control/read.h"
#include "unit/admin/control_fixture.h"

namespace postern::admin {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class ControlReport : public ControlDirectory {
 protected:
  static std::string report(control::FileName file) {
    const auto lines = report_control_file(file.spec());
    return lines ? *lines : "error: " + describe(lines.error());
  }
};

TEST_F(ControlReport, ShowsValuesAndDefaults) {
  put("me", "mail.example.org\n");
  EXPECT_THAT(report("databytes"),
              StartsWith("databytes: (Default.) 0 bytes. Read by qmail-smtpd"));
  put("databytes", "1000000\n");
  EXPECT_THAT(report("databytes"), StartsWith("databytes: 1000000 bytes. "));
  EXPECT_THAT(report("helohost"), StartsWith("helohost: (Default.) mail.example.org. "));
  EXPECT_THAT(report("bouncefrom"), StartsWith("bouncefrom: (Default.) MAILER-DAEMON. "));
  EXPECT_THAT(report("locals"), StartsWith("locals: (Default.) mail.example.org. "));
  EXPECT_THAT(report("concurrencyincoming"), StartsWith("concurrencyincoming: (Default.) none. "));
  EXPECT_THAT(report("morercpthosts"), StartsWith("morercpthosts: (Default.) none. "));
}

TEST_F(ControlReport, ListsEntries) {
  put("rcpthosts", "# ours\nexample.org\n.example.org\n");
  EXPECT_THAT(report("rcpthosts"), StartsWith("rcpthosts: 2 entries. "));
  EXPECT_THAT(report("rcpthosts"), HasSubstr("\n    example.org\n    .example.org\n"));
  put("rcpthosts", "example.org\n");
  EXPECT_THAT(report("rcpthosts"), StartsWith("rcpthosts: 1 entry. "));
}

TEST_F(ControlReport, ShowsNoPasswords) {
  put("smtproutes", ":relay.example:587 am9l c2VjcmV0\n.a:b.example|joe|hunter2\n:r.example\n");
  const std::string text = report("smtproutes");
  EXPECT_THAT(text, HasSubstr("    :relay.example:587 (with credentials)\n"));
  EXPECT_THAT(text, HasSubstr("    .a:b.example (with credentials)\n"));
  EXPECT_THAT(text, HasSubstr("    :r.example\n"));
  EXPECT_THAT(text, Not(HasSubstr("c2VjcmV0")));
  EXPECT_THAT(text, Not(HasSubstr("hunter2")));
}

TEST_F(ControlReport, NamesTheHostNameThatIsNone) {
  put("me", "mail.example.org\n");
  put("bouncehost", "our host\n");
  EXPECT_THAT(report("bouncehost"), HasSubstr("error: control/bouncehost holds \"our host\""));
  put("smtpgreeting", "mail.example.org says hello\n");
  EXPECT_THAT(report("smtpgreeting"), StartsWith("smtpgreeting: mail.example.org says hello. "));
}

TEST_F(ControlReport, NamesTheFileThatMakesNoSense) {
  put("databytes", "10M\n");
  EXPECT_THAT(report("databytes"), HasSubstr("error: control/databytes holds \"10M\""));
  EXPECT_THAT(report("helohost"), HasSubstr("control/helohost and control/me are both missing"));
  std::filesystem::create_directory("control/rcpthosts");
  EXPECT_THAT(report("rcpthosts"), HasSubstr("error: "));
}

TEST_F(ControlReport, TellsWhatWasBuiltIn) {
  EXPECT_THAT(report_build(), HasSubstr("subdirectory split: 23.\n"));
  EXPECT_THAT(report_build(), HasSubstr("silent concurrency limit: 120.\n"));
}

TEST_F(ControlReport, CanReadEverySample) {
  for (const auto& spec : control::table) {
    put(std::string(spec.file), format_sample(spec));
    const auto lines = report_control_file(spec);
    EXPECT_TRUE(lines) << describe(lines.error());
  }
  EXPECT_EQ(control::read<"me">(), "mail.example.org");
  EXPECT_EQ(control::read<"queuelifetime">(), 604800U);
  EXPECT_EQ(control::read<"smtproutes">()->find("anything"), std::nullopt);
  EXPECT_EQ(control::read<"locals">()->size(), 3U);
}

}  // namespace
}  // namespace postern::admin

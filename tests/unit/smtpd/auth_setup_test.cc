#include "smtpd/auth_setup.h"

#include <gtest/gtest.h>

namespace postern::smtpd {
namespace {

using Words = std::vector<std::string>;

TEST(AuthSetup, IsOffWithoutArguments) {
  const auto setup = parse_auth_setup({}, "!+cram", "local");
  EXPECT_FALSE(setup.offered());
  EXPECT_FALSE(setup.required);
  EXPECT_EQ(setup.warning, "");
}

TEST(AuthSetup, TakesThePublishedRunScriptsOfBothForms) {
  const auto a = parse_auth_setup(
      {"digimon.cs.example.edu", "/usr/local/bin/checkvpw", "/bin/true", "maildir"}, {}, "local");
  EXPECT_TRUE(a.offered() && a.passwords && a.cram);
  EXPECT_EQ(a.form, AuthForm::host_first);
  EXPECT_EQ(a.host, "digimon.cs.example.edu");
  EXPECT_EQ(a.command, (Words{"/usr/local/bin/checkvpw", "/bin/true", "maildir"}));

  const auto b = parse_auth_setup({"/bin/checkpassword", "/bin/true"}, {}, "local");
  EXPECT_TRUE(b.offered() && b.passwords && !b.cram && !b.required);
  EXPECT_EQ(b.form, AuthForm::checker_first);
  EXPECT_EQ(b.host, "local");
  EXPECT_EQ(b.command, (Words{"/bin/checkpassword", "/bin/true"}));
}

TEST(AuthSetup, OfTheFirstFormPassesSmtpauthOver) {
  const auto setup = parse_auth_setup({"host", "checker", "/bin/true"}, "-", "local");
  EXPECT_TRUE(setup.offered() && setup.cram && !setup.required);
}

TEST(AuthSetup, OfTheSecondFormIsChosenBySmtpauth) {
  struct Case {
    std::string mode;
    bool passwords, cram, required;
  };
  for (const auto& [mode, passwords, cram, required] : {
           Case{"", true, false, false},
           {"on", true, false, false},
           {"-", false, false, false},
           {"cram", false, true, false},
           {"CRAM-MD5", false, true, false},
           {"+cram", true, true, false},
           {"+", true, false, false},
           {"!", true, false, true},
           {"!Cram", false, true, true},
           {"!+cRam", true, true, true},
       }) {
    const auto setup = parse_auth_setup({"/c", "/bin/true"}, mode, "local");
    EXPECT_EQ(setup.passwords, passwords) << mode;
    EXPECT_EQ(setup.cram, cram) << mode;
    EXPECT_EQ(setup.required, required) << mode;
    EXPECT_EQ(setup.offered(), passwords || cram) << mode;
  }
}

TEST(AuthSetup, RefusesWhatWouldBeAnOpenRelayOrHalfAConfiguration) {
  for (const Words& arguments :
       {Words{"host"}, Words{"host", "/bin/checkpassword"}, Words{"/bin/checkpassword"},
        Words{"checkpassword", "/bin/true"}, Words{"/bin/checkpassword", "/bin/true", "x"},
        Words{"host", "/bin/true", "/bin/true"}, Words{"host", "true", "x"},
        Words{"host", ":", "x"}, Words{"/bin/true", "/bin/true"}, Words{"", "/c"}}) {
    const auto setup = parse_auth_setup(arguments, {}, "local");
    const bool fine = arguments.size() == 3 && arguments[0] == "/bin/checkpassword";
    EXPECT_EQ(setup.offered(), fine) << arguments[0];
    EXPECT_EQ(setup.warning.empty(), fine) << arguments[0];
  }
}

}  // namespace
}  // namespace postern::smtpd

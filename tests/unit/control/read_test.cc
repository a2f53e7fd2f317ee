#include "control/read.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control/cdb.h"
#include "posix/files.h"
#include "support/temporary_directory.h"

namespace postern::control {
namespace {

// A qmail home with a control directory, which is the current directory while the test runs.
class ControlFiles : public testing::Test {
 protected:
  ControlFiles() { ::mkdir("control", 0755); }
  static void write(const std::string& file, const std::string& text) {
    ASSERT_TRUE(replace_file("control/" + file, "control/tmp", text, 0644));
  }
  test::TemporaryDirectory home_;
};

TEST_F(ControlFiles, OfOneLineLoseWhatFollowsIt) {
  write("me", "mail.example.org \t\nsecond line\n");
  EXPECT_EQ(read<"me">(), "mail.example.org");
}

TEST_F(ControlFiles, ThatAreAbsentDefaultToMe) {
  write("me", "mail.example.org\n");
  EXPECT_EQ(read<"smtpgreeting">(), "mail.example.org");
  EXPECT_EQ(read<"bouncehost">(), "mail.example.org");
  EXPECT_EQ(read<"locals">(), std::vector<std::string>{"mail.example.org"});
  EXPECT_EQ(read<"bouncefrom">(), "MAILER-DAEMON");
  EXPECT_EQ(read<"doublebounceto">(), "postmaster");
  EXPECT_EQ(read<"concurrencylocal">(), 10U);
  EXPECT_EQ(read<"concurrencyremote">(), 20U);
  EXPECT_EQ(read<"queuelifetime">(), 604800U);
  EXPECT_EQ(read<"timeoutconnect">(), 60U);
  EXPECT_EQ(read<"timeoutremote">(), 1200U);
  EXPECT_EQ(read<"timeoutsmtpd">(), 1200U);
  EXPECT_EQ(read<"databytes">(), 0U);
  EXPECT_EQ(read<"rcpthosts">(), std::vector<std::string>{});
}

TEST_F(ControlFiles, WithoutMeUseTheirOwnNameWhereQmailDoes) {
  EXPECT_EQ(read<"bouncehost">(), "bouncehost");
  EXPECT_EQ(read<"doublebouncehost">(), "doublebouncehost");
  EXPECT_EQ(read<"envnoathost">(), "envnoathost");
  EXPECT_FALSE(read<"smtpgreeting">());
  EXPECT_FALSE(read<"helohost">());
  EXPECT_FALSE(read<"locals">());
  EXPECT_FALSE(read_me());
}

TEST_F(ControlFiles, OfNumbersRefuseWhatIsNotANumberAndNameTheMend) {
  write("databytes", "10 MB\n");
  const auto value = read<"databytes">();
  ASSERT_FALSE(value);
  EXPECT_EQ(describe(value.error()),
            "control/databytes holds \"10 MB\": write a whole number of bytes there");
  write("databytes", " 5000 \n");
  EXPECT_EQ(read<"databytes">(), 5000U);
  write("databytes", "\n");
  EXPECT_EQ(read<"databytes">(), 0U);
}

TEST_F(ControlFiles, OfListsSkipCommentsAndEmptyLines) {
  write("locals", "# ours\n\nexample.org \n\t\nlast");
  EXPECT_EQ(read<"locals">(), (std::vector<std::string>{"example.org", "last"}));
}

TEST_F(ControlFiles, OfMapsTakeTheLastLineOfAKeyWithoutCase) {
  write("virtualdomains", "a.example:joe\nA.EXAMPLE:ann\nno colon\nb.example:x:y\n:all\n");
  const auto map = read<"virtualdomains">();
  ASSERT_TRUE(map);
  EXPECT_EQ(map->find("a.Example"), "ann");
  EXPECT_EQ(map->find("b.example"), "x:y");
  EXPECT_EQ(map->find(""), "all");
  EXPECT_EQ(map->find("c.example"), std::nullopt);
}

TEST_F(ControlFiles, ThatCannotBeReadAreNotTakenForAbsent) {
  ::mkdir("control/me", 0755);
  const auto me = read<"me">();
  ASSERT_FALSE(me);
  EXPECT_EQ(me.error().code, EISDIR);
}

TEST(HostKeys, GoFromTheHostToItsDomains) {
  EXPECT_EQ(host_keys("a.b.c", false), (std::vector<std::string_view>{"a.b.c", ".b.c", ".c"}));
  EXPECT_EQ(host_keys("a", true), (std::vector<std::string_view>{"a", ""}));
}

using CdbFiles = ControlFiles;

TEST_F(CdbFiles, AreReadAsTheyWereWritten) {
  auto writer = CdbWriter::create("control/x.cdb", "control/x.tmp", 0644);
  ASSERT_TRUE(writer);
  ASSERT_TRUE(writer->add("one", "1"));
  ASSERT_TRUE(writer->add("", "empty key"));
  ASSERT_TRUE(writer->commit());
  auto cdb = Cdb::open("control/x.cdb");
  ASSERT_TRUE(cdb);
  EXPECT_EQ(*cdb->find("one"), "1");
  EXPECT_EQ(*cdb->find(""), "empty key");
  EXPECT_EQ(*cdb->find("two"), std::nullopt);
  EXPECT_FALSE(stat_file("control/x.tmp"));
}

TEST_F(CdbFiles, ThatWereNotCommittedLeaveTheOldOne) {
  write("x.cdb", "old");
  {
    auto writer = CdbWriter::create("control/x.cdb", "control/x.tmp", 0644);
    ASSERT_TRUE(writer && writer->add("one", "1"));
  }
  EXPECT_EQ(read_file("control/x.cdb", 100), "old");
  EXPECT_FALSE(stat_file("control/x.tmp"));
}

TEST_F(CdbFiles, WithRubbishAreAnErrorNotACrash) {
  write("short.cdb", "too short");
  EXPECT_FALSE(Cdb::open("control/short.cdb"));
  write("lies.cdb", std::string(4096, '\xff'));
  auto cdb = Cdb::open("control/lies.cdb");
  if (cdb) {
    EXPECT_FALSE(cdb->find("one"));
  }
}

}  // namespace
}  // namespace postern::control

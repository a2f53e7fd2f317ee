#include "control/read.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "base/integers.h"
#include "control/cdb.h"
#include "posix/files.h"
#include "support/temporary_directory.h"

namespace postern::control {
namespace {

using namespace std::string_literals;

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

TEST_F(ControlFiles, ThatAreAbsentHaveTheDefaultsOfQmail) {
  write("me", "mail.example.org\n");
  const std::string me = "mail.example.org";
  const std::vector<std::string> none;
  EXPECT_EQ(read<"badmailfrom">(), none);
  EXPECT_EQ(read<"badrcptto">(), none);
  EXPECT_EQ(read<"bouncefrom">(), "MAILER-DAEMON");
  EXPECT_EQ(read<"bouncehost">(), me);
  EXPECT_EQ(read<"concurrencylocal">(), 10U);
  EXPECT_EQ(read<"concurrencyremote">(), 20U);
  EXPECT_EQ(read<"databytes">(), 0U);
  EXPECT_EQ(read<"defaultdomain">(), me);
  EXPECT_EQ(read<"defaulthost">(), me);
  EXPECT_EQ(read<"doublebouncehost">(), me);
  EXPECT_EQ(read<"doublebounceto">(), "postmaster");
  EXPECT_EQ(read<"envnoathost">(), me);
  EXPECT_EQ(read<"helohost">(), me);
  EXPECT_EQ(read<"idhost">(), me);
  EXPECT_EQ(read<"localiphost">(), me);
  EXPECT_EQ(read<"locals">(), std::vector<std::string>{me});
  EXPECT_EQ(read<"percenthack">(), none);
  EXPECT_EQ(read<"plusdomain">(), me);
  EXPECT_EQ(read<"qmqpservers">(), none);
  EXPECT_EQ(read<"queuelifetime">(), 604800U);
  EXPECT_EQ(read<"rcpthosts">(), none);
  EXPECT_EQ(read<"smtpgreeting">(), me);
  EXPECT_TRUE(read<"smtproutes">() && read<"smtproutes">()->empty());
  EXPECT_EQ(read<"timeoutconnect">(), 60U);
  EXPECT_EQ(read<"timeoutremote">(), 1200U);
  EXPECT_EQ(read<"timeoutsmtpd">(), 1200U);
  EXPECT_TRUE(read<"virtualdomains">() && read<"virtualdomains">()->empty());
  EXPECT_EQ(is_present(FileName("morercpthosts").spec()), false);
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

// They become parts of addresses, header fields and commands.
TEST_F(ControlFiles, OfHostNamesRefuseWhatIsNone) {
  write("me", "mail.example.org\n");
  const std::string too_long = std::string(253, 'a') + "b";
  for (const std::string& line : {"mail example\n"s, "mail\x01.example\n"s, "\n"s, ""s, too_long}) {
    for (const char* file :
         {"bouncehost", "doublebouncehost", "envnoathost", "helohost", "idhost", "defaulthost"}) {
      write(file, line);
      const auto value = read_line(*std::ranges::find(table, file, &Spec::file));
      ASSERT_FALSE(value) << file;
      EXPECT_TRUE(value.error().what.starts_with("control/" + std::string(file) + " holds \"") &&
                  value.error().what.ends_with("\": write a host name there, one word"))
          << value.error().what;
    }
  }
  write("idhost", std::string(253, 'a'));
  EXPECT_TRUE(read<"idhost">());
  write("plusdomain", "two words\n");
  EXPECT_FALSE(read<"plusdomain">());
  write("plusdomain", "\n");
  EXPECT_EQ(read<"plusdomain">(), "");
}

TEST_F(ControlFiles, AreNotReplacedByAMeThatIsNoHostName) {
  for (const char* line : {"two words\n", "\n"}) {
    write("me", line);
    EXPECT_FALSE(read<"me">());
    EXPECT_FALSE(read<"bouncehost">());
    EXPECT_FALSE(read<"locals">());
    EXPECT_FALSE(read<"defaultdomain">());
  }
  write("me", "two words\n");
  EXPECT_EQ(describe(read<"envnoathost">().error()),
            "control/me holds \"two words\": write a host name there, one word");
}

TEST_F(ControlFiles, OfNumbersRefuseWhatIsNotANumberAndNameTheMend) {
  write("databytes", "10 MB\n");
  const auto value = read<"databytes">();
  ASSERT_FALSE(value);
  EXPECT_EQ(describe(value.error()),
            "control/databytes holds \"10 MB\": write a whole number of bytes there");
  write("databytes", std::string(3'000'000, 'a'));
  EXPECT_EQ(describe(read<"databytes">().error()),
            "control/databytes holds \"" + std::string(100, 'a') +
                "...\": write a whole number of bytes there");
  write("databytes", "1\x1b[2J\n");
  EXPECT_EQ(describe(read<"databytes">().error()),
            "control/databytes holds \"1?[2J\": write a whole number of bytes there");
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

TEST_F(ControlFiles, OfEveryKindRefuseCarriageReturnsAtLineEndsAndNameTheMend) {
  const auto mend = [](const std::string& place) {
    return "control/" + place +
           " ends in a carriage return, as on Windows: end the lines of the file in LF alone";
  };
  const auto error = [](const auto& value) { return value ? "" : describe(value.error()); };
  write("me", "mx.example\r\n");
  EXPECT_EQ(error(read<"me">()), mend("me line 1"));
  EXPECT_EQ(error(read<"smtpgreeting">()), mend("me line 1"));
  EXPECT_EQ(error(read_me()), mend("me line 1"));
  write("databytes", "500\r\n");
  EXPECT_EQ(error(read<"databytes">()), mend("databytes line 1"));
  write("rcpthosts", "a.example\n\nb.example\r \nc.example\r\n");
  EXPECT_EQ(error(read<"rcpthosts">()), mend("rcpthosts line 3"));
  write("locals", "# a comment\r\na.example\n");
  EXPECT_EQ(error(read<"locals">()), mend("locals line 1"));
  write("virtualdomains", "a.example:joe\nb.example:ann\r");
  EXPECT_EQ(error(read<"virtualdomains">()), mend("virtualdomains line 2"));
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

// The library's files are the format's: its hash, and where a key's table and slots are.
TEST_F(CdbFiles, AreHashedAsTheFormatSays) {
  EXPECT_EQ(::cdb_hash("", 0), 5381U);
  EXPECT_EQ(::cdb_hash("!", 1), 177540U);
  EXPECT_EQ(::cdb_hash("!joe", 5), 98843780U);  // with its NUL
  EXPECT_EQ(::cdb_hash("!joe-", 5), 98843817U);

  auto writer = CdbWriter::create("control/x.cdb", "control/x.tmp", 0644);
  ASSERT_TRUE(writer && writer->add("", "value") && writer->commit());
  const std::string file = read_file("control/x.cdb", 10000).value();
  const auto number = [&](std::size_t at) { return from_little_endian(file.substr(at, 4)); };
  constexpr std::size_t header = 40;  // of table 5381 & 255
  EXPECT_EQ(number(header), 2048U + 8 + 5);
  EXPECT_EQ(number(header + 4), 2U) << "twice as many slots as keys";
  const std::size_t slot = number(header) + 8;  // slot 21 of 2
  EXPECT_EQ(number(slot), 5381U);
  EXPECT_EQ(number(slot + 4), 2048U) << "the first record follows the header";
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

TEST_F(CdbFiles, BelongToWhomTheyAreGivenFromTheMomentTheyAppear) {
  const bool root = ::geteuid() == 0;
  const uid_t owner = root ? 12345 : ::geteuid();
  const gid_t group = root ? 54321 : ::getegid();
  auto writer = CdbWriter::create("control/x.cdb", "control/x.tmp", 0400);
  ASSERT_TRUE(writer && writer->give_to(owner, group) && writer->add("one", "1"));
  EXPECT_FALSE(stat_file("control/x.cdb"));
  ASSERT_TRUE(writer->commit());
  const auto info = stat_file("control/x.cdb");
  ASSERT_TRUE(info);
  EXPECT_EQ(info->st_uid, owner);
  EXPECT_EQ(info->st_gid, group);
  EXPECT_EQ(info->st_mode & 07777U, 0400U);
}

TEST_F(CdbFiles, AreGivenAwayByRootAlone) {
  constexpr uid_t nobody = 65534;
  auto writer = CdbWriter::create("control/x.cdb", "control/x.tmp", 0400);
  ASSERT_TRUE(writer);
  const bool root = ::geteuid() == 0;
  if (root) {
    ASSERT_EQ(::seteuid(nobody), 0);
  }
  const auto given = writer->give_to(nobody + 1, nobody + 1);
  if (root) {
    ASSERT_EQ(::seteuid(0), 0);
  }
  ASSERT_FALSE(given);
  EXPECT_EQ(describe(given.error()),
            "unable to change the owner of control/x.tmp: Operation not permitted");
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

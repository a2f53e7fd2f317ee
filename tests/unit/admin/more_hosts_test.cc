#include "admin/more_hosts.h"

#include "control/cdb.h"
#include "unit/admin/control_fixture.h"

namespace postern::admin {
namespace {

TEST(MoreHosts, AreNamesWithoutCommentsAndBlanksInLowerCase) {
  const auto hosts = parse_more_hosts("# all\nExample.ORG \t\n\n.example.net");
  ASSERT_TRUE(hosts);
  EXPECT_EQ(*hosts, (std::vector<std::string>{"example.org", ".example.net"}));
}

TEST(MoreHosts, NamesTheLineThatNoHostCanMatch) {
  const auto fault = [](std::string_view line) {
    const auto hosts = parse_more_hosts("a.example\n" + std::string(line) + "\n");
    return hosts ? "" : hosts.error();
  };
  EXPECT_EQ(fault("joe@b.example"),
            "line 2: an address: leave out what is before the '@', and the '@'");
  EXPECT_EQ(fault("b.example c.example"), "line 2: a blank: one host a line");
  EXPECT_EQ(fault("b.example\r"), "line 2: the line ends in CR LF: write it with LF alone");
  EXPECT_EQ(fault("b.example:c"), "line 2: a colon: a host stands alone here");
  EXPECT_EQ(fault(std::string_view("b\0c", 3)), "line 2: a NUL byte");
}

class MoreHostsFile : public ControlDirectory {};

TEST_F(MoreHostsFile, IsCompiledOrLeftAsItWas) {
  put("morercpthosts", "a.example\n.b.example\n");
  ASSERT_TRUE(make_more_hosts_cdb());
  put("morercpthosts", "c.example\nd@e.example\n");
  EXPECT_FALSE(make_more_hosts_cdb());
  auto cdb = control::Cdb::open("control/morercpthosts.cdb");
  ASSERT_TRUE(cdb);
  EXPECT_EQ(cdb->find("a.example").value(), "");
  EXPECT_EQ(cdb->find(".b.example").value(), "");
  EXPECT_EQ(cdb->find("c.example").value(), std::nullopt);
}

}  // namespace
}  // namespace postern::admin

// tcpserver's options, as its run scripts write them.
#include "smtpd/server_options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace postern::smtpd {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::optional<ServerOptions> parse(const std::vector<std::string>& words) {
  return parse_server_options(words);
}

TEST(ServerOptions, AreTcpservers) {
  const auto options = parse({"-H", "-Rv", "-l", "mail.example.org", "-x", "/etc/tcp.smtp.cdb",
                              "-c", "200", "-m7", "-b50", "-u", "64011", "-g64010", "0", "25",
                              "mail.example.org", "checker", "/bin/true"});
  ASSERT_TRUE(options);
  EXPECT_TRUE(options->logs_connections);
  EXPECT_EQ(options->local_host, "mail.example.org");
  EXPECT_EQ(options->rules, "/etc/tcp.smtp.cdb");
  EXPECT_EQ(options->most_sessions, 200U);
  EXPECT_EQ(options->most_clients, 7U);
  EXPECT_EQ(options->backlog, 50);
  EXPECT_EQ(options->uid, 64011U);
  EXPECT_EQ(options->gid, 64010U);
  EXPECT_EQ(options->host, "0");
  EXPECT_EQ(options->port, 25);
  EXPECT_THAT(options->session, ElementsAre("mail.example.org", "checker", "/bin/true"));
}

TEST(ServerOptions, HaveDefaults) {
  const auto options = parse({"127.0.0.1", "2525"});
  ASSERT_TRUE(options);
  EXPECT_FALSE(options->logs_connections);
  EXPECT_EQ(options->most_sessions, 40U);
  EXPECT_EQ(options->most_clients, 100U);
  EXPECT_EQ(options->backlog, 20);
  EXPECT_THAT(options->rules, IsEmpty());
  EXPECT_FALSE(options->local_host);
  EXPECT_FALSE(options->uid);
  EXPECT_THAT(options->session, IsEmpty());
}

TEST(ServerOptions, GiveEachClientAProcessWhereThereAreLogins) {
  EXPECT_EQ(parse({"0", "25", "checker", "/bin/true"})->most_clients, 1U);
  EXPECT_EQ(parse({"-m0", "0", "25", "checker", "/bin/true"})->most_clients, 1U);
}

TEST(ServerOptions, ThatMakeNoSenseAreRefused) {
  const std::vector<std::string> wrong[] = {{},
                                            {"0"},
                                            {"0", "smtp"},
                                            {"0", "65536"},
                                            {"-c", "0", "0", "25"},
                                            {"-c", "many", "0", "25"},
                                            {"-m", "few", "0", "25"},
                                            {"-c"},
                                            {"-u", "qmaild", "0", "25"},
                                            {"-x", "", "0", "25"},
                                            {"-h", "0", "25"},
                                            {"-", "0", "25"},
                                            {"-vz", "0", "25"}};
  for (const auto& words : wrong) EXPECT_FALSE(parse(words)) << testing::PrintToString(words);
}

}  // namespace
}  // namespace postern::smtpd

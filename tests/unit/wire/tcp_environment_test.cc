#include "wire/tcp_environment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/socket_address.h"

namespace postern::wire {
namespace {

using test::v4;
using test::v6;

using ::testing::Contains;

TEST(TcpEnd, IsDescribedInText) {
  EXPECT_EQ(describe_end(v4("192.0.2.1", 25))->ip, "192.0.2.1");
  EXPECT_EQ(describe_end(v4("192.0.2.1", 25))->port, "25");
  EXPECT_EQ(describe_end(v6("2001:db8::1", 587))->ip, "2001:db8::1");
  EXPECT_TRUE(describe_end(v6("2001:db8::1", 587))->is_v6);
  EXPECT_EQ(describe_end(v6("::ffff:192.0.2.1", 25))->ip, "192.0.2.1");
  EXPECT_FALSE(describe_end(v6("::ffff:192.0.2.1", 25))->is_v6);
  EXPECT_FALSE(describe_end(sockaddr_storage{}));
}

TEST(TcpSettings, NameBothEndsAndUnsetWhatIsUnknown) {
  const auto settings = tcp_settings({.local = describe_end(v4("192.0.2.1", 25)),
                                      .remote = describe_end(v4("192.0.2.9", 4711)),
                                      .local_host = "mail.example.org",
                                      .remote_host = std::nullopt,
                                      .remote_info = std::nullopt});
  EXPECT_THAT(settings, Contains(Setting{"PROTO", "TCP"}));
  EXPECT_THAT(settings, Contains(Setting{"TCPLOCALIP", "192.0.2.1"}));
  EXPECT_THAT(settings, Contains(Setting{"TCPLOCALPORT", "25"}));
  EXPECT_THAT(settings, Contains(Setting{"TCPLOCALHOST", "mail.example.org"}));
  EXPECT_THAT(settings, Contains(Setting{"TCPREMOTEIP", "192.0.2.9"}));
  EXPECT_THAT(settings, Contains(Setting{"TCPREMOTEPORT", "4711"}));
  EXPECT_THAT(settings, Contains(Setting{"TCPREMOTEHOST", std::nullopt}));
  EXPECT_THAT(settings, Contains(Setting{"TCPREMOTEINFO", std::nullopt}));
  EXPECT_THAT(settings, Contains(Setting{"TCP6REMOTEIP", std::nullopt}));
}

TEST(TcpSettings, SayTcp6ForIpv6) {
  const auto settings = tcp_settings({.local = describe_end(v6("2001:db8::1", 25)),
                                      .remote = describe_end(v6("2001:db8::9", 4711)),
                                      .local_host = std::nullopt,
                                      .remote_host = std::nullopt,
                                      .remote_info = "joe"});
  EXPECT_THAT(settings, Contains(Setting{"PROTO", "TCP6"}));
  EXPECT_THAT(settings, Contains(Setting{"TCP6REMOTEIP", "2001:db8::9"}));
  EXPECT_THAT(settings, Contains(Setting{"TCPREMOTEIP", "2001:db8::9"}));
  EXPECT_THAT(settings, Contains(Setting{"TCP6REMOTEINFO", "joe"}));
}

}  // namespace
}  // namespace postern::wire

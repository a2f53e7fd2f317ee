#include "inet/listen.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "inet/connect.h"

namespace postern::inet {
namespace {

using ::testing::HasSubstr;

std::uint16_t port_of(const Fd& fd) {
  sockaddr_storage bound{};
  socklen_t size = sizeof bound;
  EXPECT_EQ(::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&bound), &size), 0);
  return ntohs(bound.ss_family == AF_INET6 ? reinterpret_cast<const sockaddr_in6&>(bound).sin6_port
                                           : reinterpret_cast<const sockaddr_in&>(bound).sin_port);
}

bool reaches(const char* address, const Fd& listener) {
  return connect_to(*parse_address(address), port_of(listener),
                    Deadline::after(std::chrono::seconds(20)))
      .has_value();
}

TEST(Listening, IsAtOneAddress) {
  const auto listener = listen_on("127.0.0.2", 0, 5);
  ASSERT_TRUE(listener) << describe(listener.error());
  EXPECT_TRUE(reaches("127.0.0.2", *listener));
  EXPECT_FALSE(reaches("127.0.0.1", *listener));
}

TEST(Listening, IsEverywhereForNought) {
  const auto listener = listen_on("0", 0, 5);
  ASSERT_TRUE(listener) << describe(listener.error());
  EXPECT_TRUE(reaches("127.0.0.1", *listener));
  EXPECT_TRUE(reaches("127.0.0.2", *listener));
}

TEST(Listening, SaysWhatIsInTheWay) {
  const auto first = listen_on("127.0.0.1", 0, 5);
  ASSERT_TRUE(first);
  const auto second = listen_on("127.0.0.1", port_of(*first), 5);
  ASSERT_FALSE(second);
  EXPECT_THAT(describe(second.error()), HasSubstr("unable to bind to 127.0.0.1 port "));
  EXPECT_EQ(second.error().code, EADDRINUSE);
  const auto wrong = listen_on("localhost", 25, 5);
  ASSERT_FALSE(wrong);
  EXPECT_THAT(describe(wrong.error()), HasSubstr("localhost: not an address"));
}

}  // namespace
}  // namespace postern::inet

#include "inet/connect.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace postern::inet {
namespace {

// A listening port of the loopback, IPv4.
struct Listener {
  Fd fd{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  std::uint16_t port = 0;

  explicit Listener(int backlog = 5) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(::bind(fd.get(), generic, size), 0);
    EXPECT_EQ(::listen(fd.get(), backlog), 0);
    EXPECT_EQ(::getsockname(fd.get(), generic, &size), 0);
    port = ntohs(address.sin_port);
  }
};

const IpAddress loopback = parse_address("127.0.0.1").value();

TEST(ConnectTo, GivesANonBlockingSocketThatSendsAtOnce) {
  const Listener listener;
  const auto fd = connect_to(loopback, listener.port, Deadline::after(std::chrono::seconds{5}));
  ASSERT_TRUE(fd);
  char byte = 0;
  EXPECT_EQ(::recv(fd->get(), &byte, 1, 0), -1);
  EXPECT_EQ(errno, EAGAIN);
  int on = 0;
  socklen_t size = sizeof on;
  EXPECT_EQ(::getsockopt(fd->get(), IPPROTO_TCP, TCP_NODELAY, &on, &size), 0);
  EXPECT_NE(on, 0);
}

TEST(ConnectTo, SaysWhenNobodyListens) {
  std::uint16_t port = 0;
  {
    const Listener listener;
    port = listener.port;
  }
  const auto fd = connect_to(loopback, port, Deadline::after(std::chrono::seconds{5}));
  ASSERT_FALSE(fd);
  EXPECT_EQ(fd.error().code, ECONNREFUSED);
}

TEST(ConnectTo, GivesUpAtTheDeadline) {
  // A full backlog lets the kernel drop what comes next, as a dead host would.
  const Listener listener(0);
  std::vector<Fd> full;
  for (int i = 0; i < 8; ++i) {
    auto fd = connect_to(loopback, listener.port, Deadline::after(std::chrono::milliseconds{100}));
    if (!fd) {
      EXPECT_EQ(fd.error().code, ETIMEDOUT);
      return;
    }
    full.push_back(std::move(*fd));
  }
  FAIL() << "the backlog never filled";
}

TEST(ConnectTo, SpeaksIpv6) {
  const auto fd =
      connect_to(parse_address("::1").value(), 1, Deadline::after(std::chrono::seconds{5}));
  ASSERT_FALSE(fd);
  EXPECT_TRUE(fd.error().code == ECONNREFUSED || fd.error().code == EADDRNOTAVAIL ||
              fd.error().code == EAFNOSUPPORT)
      << describe(fd.error());
}

}  // namespace
}  // namespace postern::inet

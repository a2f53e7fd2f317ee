#include "start/remote_identity.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <thread>

#include "posix/fd.h"
#include "support/socket_address.h"

namespace postern::start {
namespace {

using test::v4;

TEST(IdentReply, IsAUserOnlyInItsOneForm) {
  EXPECT_EQ(parse_ident_reply("6193, 23 : USERID : UNIX : stjohns\r"), "stjohns");
  EXPECT_EQ(parse_ident_reply("6193,23:userid:OTHER,US-ASCII:a:b"), "a:b");
  for (const char* line : {"6193, 23 : ERROR : NO-USER\r", "", "6193, 23 : USERID : UNIX",
                           "6193, 23 : USERID : UNIX : \r", "USERID"}) {
    EXPECT_FALSE(parse_ident_reply(line)) << line;
  }
}

// A listening socket on a port of its own on 127.0.0.1.
struct Listener {
  Fd fd{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  in_port_t port = 0;
  Listener() {
    const auto any = v4("127.0.0.1", 0);
    if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&any), sizeof(sockaddr_in)) != 0 ||
        ::listen(fd.get(), 1) != 0) {
      std::abort();
    }
    sockaddr_in bound{};
    socklen_t size = sizeof bound;
    ::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&bound), &size);
    port = ntohs(bound.sin_port);
  }
};

TEST(Ident, IsAskedWithTheRemotePortFirst) {
  Listener server;
  std::string query;
  std::thread answer([&] {
    const Fd client(::accept(server.fd.get(), nullptr, nullptr));
    char buffer[100];
    query.assign(buffer, static_cast<std::size_t>(::read(client.get(), buffer, sizeof buffer)));
    const std::string_view reply = "4711 , 25 : USERID : UNIX : joe\r\n";
    EXPECT_GT(::write(client.get(), reply.data(), reply.size()), 0);
  });
  const auto user =
      ask_ident(v4("127.0.0.1", 25), v4("127.0.0.1", 4711), std::chrono::seconds(20), server.port);
  answer.join();
  EXPECT_EQ(query, "4711 , 25\r\n");
  EXPECT_EQ(user, "joe");
}

TEST(Ident, IsGivenUpWhenNobodyAnswers) {
  Listener silent;
  EXPECT_FALSE(
      ask_ident(v4("127.0.0.1", 25), v4("127.0.0.1", 4711), std::chrono::seconds(0), silent.port));
  const in_port_t port = silent.port;
  silent.fd.reset();
  EXPECT_FALSE(
      ask_ident(v4("127.0.0.1", 25), v4("127.0.0.1", 4711), std::chrono::seconds(20), port));
}

}  // namespace
}  // namespace postern::start

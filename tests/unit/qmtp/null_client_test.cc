// The null client against servers that answer, refuse, hang up or are not there.
#include "qmtp/null_client.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <thread>

#include "base/netstring.h"
#include "posix/io.h"
#include "posix/pipe.h"
#include "posix/signals.h"

namespace postern::qmtp {
namespace {

using std::string_literals::operator""s;
using wire::QueueExit;

std::expected<PackageFile, QueueExit> read(const std::string& message, const std::string& envelope,
                                           std::uint64_t most_bytes = most_netstring_bytes) {
  ignore_signal(SIGPIPE);
  auto first = make_pipe();
  auto second = make_pipe();
  std::thread writer([&] {
    (void)write_all(first->write.get(), message);
    first->write.reset();
    (void)write_all(second->write.get(), envelope);
    second->write.reset();
  });
  auto package = read_package(first->read.get(), second->read.get(), most_bytes);
  first->read.reset();
  second->read.reset();
  writer.join();
  return package;
}

std::string bytes_of(const PackageFile& package) {
  std::string bytes;
  EXPECT_TRUE(package.send([&](std::string_view piece) -> Status {
    bytes += piece;
    return {};
  }));
  return bytes;
}

// Listens on 127.0.0.N, takes a package and says something.
class Server {
 public:
  Server(const std::string& address, std::string answer, std::uint16_t port = 0)
      : answer_(std::move(answer)), fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in name{};
    name.sin_family = AF_INET;
    name.sin_port = htons(port);
    ::inet_pton(AF_INET, address.c_str(), &name.sin_addr);
    auto* plain = reinterpret_cast<sockaddr*>(&name);
    socklen_t size = sizeof name;
    const bool listens = ::bind(fd_.get(), plain, size) == 0 && ::listen(fd_.get(), 1) == 0;
    EXPECT_TRUE(listens);
    ::getsockname(fd_.get(), plain, &size);
    port_ = ntohs(name.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~Server() {
    ::shutdown(fd_.get(), SHUT_RDWR);
    thread_.join();
  }
  std::uint16_t port() const { return port_; }
  std::string taken() {
    ::shutdown(fd_.get(), SHUT_RDWR);
    return taken_;
  }

 private:
  void serve() {
    const Fd client(::accept(fd_.get(), nullptr, nullptr));
    if (!client) return;
    char piece[4096];
    std::string_view rest;
    do {
      const auto count = read_some(client.get(), piece);
      if (!count || *count == 0) return;
      taken_.append(piece, *count);
      rest = taken_;
    } while (!take_netstring(rest));
    (void)write_all(client.get(), answer_);
  }
  std::string answer_;
  Fd fd_;
  std::uint16_t port_ = 0;
  std::string taken_;
  std::thread thread_;
};

TEST(NullClient, MessageAndEnvelopeBecomeAPackage) {
  const auto package = read("Subject: x\n\nhello\n", "Fa@b\0Tc@d\0Te@f\0\0"s);
  ASSERT_TRUE(package.has_value());
  const std::string inner = "18:Subject: x\n\nhello\n,3:a@b,3:c@d,3:e@f,";
  EXPECT_EQ(bytes_of(*package), format_netstring(inner));
  EXPECT_EQ(package->length(), inner.size());
  EXPECT_EQ(bytes_of(*package), format_netstring(inner)) << "as often as needed";
}

TEST(NullClient, LargeMessagesAndManyRecipientsAreWhole) {
  const std::string message(1'000'000, 'x');
  std::string envelope = "F\0"s;
  std::string inner = format_netstring(message) + "0:,";
  for (int i = 0; i < 20'000; ++i) {
    envelope += "T" + std::to_string(i) + "@example.org\0"s;
    inner += format_netstring(std::to_string(i) + "@example.org");
  }
  const auto package = read(message, envelope + '\0');
  ASSERT_TRUE(package.has_value());
  EXPECT_EQ(bytes_of(*package), format_netstring(inner));
}

TEST(NullClient, BadEnvelopesHaveQmailQueuesCodes) {
  EXPECT_EQ(read("x", "Fa\0Tb\0"s).error(), QueueExit::read_error);
  EXPECT_EQ(read("x", "").error(), QueueExit::read_error);
  EXPECT_EQ(read("x", "Ta\0\0"s).error(), QueueExit::bad_envelope);
  EXPECT_EQ(read("x", "Fa\0Xb\0\0"s).error(), QueueExit::bad_envelope);
  EXPECT_EQ(read("x", "F" + std::string(1003, 'a') + "\0\0"s).error(), QueueExit::address_too_long);
}

TEST(NullClient, WhatNoServerWouldTakeIsRefused) {
  const std::string message(200'000, 'x');
  const std::string envelope = "Fa\0Tbc\0\0"s;
  const std::uint64_t length = format_netstring(message).size() + "1:a,2:bc,"s.size();
  const auto fits = read(message, envelope, length);
  ASSERT_TRUE(fits.has_value());
  EXPECT_EQ(fits->length(), length);
  EXPECT_EQ(read(message, envelope, length - 1).error(), QueueExit::refused) << "in the envelope";
  EXPECT_EQ(read(message, envelope, 100'000).error(), QueueExit::refused) << "in the message";
}

TEST(NullClient, FirstLetterOfTheAnswerDecides) {
  const auto package = read("x\n", "Fa\0Tb\0\0"s);
  for (const auto& [answer, code] :
       std::vector<std::pair<std::string, QueueExit>>{{"22:Kok 1700000000 qp 4711,", QueueExit::ok},
                                                      {"3:Dno,", QueueExit::refused},
                                                      {"3:Zno,", QueueExit::server_refused_for_now},
                                                      {"2:no,", QueueExit::communication_failed},
                                                      {"0:,", QueueExit::communication_failed},
                                                      {"K", QueueExit::communication_failed},
                                                      {"", QueueExit::communication_failed}}) {
    Server server("127.0.0.1", answer);
    EXPECT_EQ(hand_over(*package, parse_servers({"127.0.0.1"}), server.port()), code) << answer;
  }
}

TEST(NullClient, NextServerIsAskedWhereOneDecidesNothing) {
  const auto package = read("x\n", "Fa\0Tb\0\0"s);
  Server hangs_up("127.0.0.2", "");
  Server takes_it("127.0.0.3", "1:K,", hangs_up.port());
  Server not_asked("127.0.0.4", "1:D,", hangs_up.port());
  // Nobody listens on 127.0.0.1.
  const auto servers = parse_servers({"127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.4"});
  EXPECT_EQ(hand_over(*package, servers, hangs_up.port()), QueueExit::ok);
  EXPECT_EQ(takes_it.taken(), bytes_of(*package));
  EXPECT_EQ(not_asked.taken(), "");
}

TEST(NullClient, ServersRefusalIsFinal) {
  const auto package = read("x\n", "Fa\0Tb\0\0"s);
  Server refuses("127.0.0.2", "3:Dno,");
  Server not_asked("127.0.0.3", "1:K,", refuses.port());
  EXPECT_EQ(hand_over(*package, parse_servers({"127.0.0.2", "127.0.0.3"}), refuses.port()),
            QueueExit::refused);
  EXPECT_EQ(not_asked.taken(), "");
}

TEST(NullClient, LastTroubleIsTold) {
  const auto package = read("x\n", "Fa\0Tb\0\0"s);
  Server hangs_up("127.0.0.2", "");
  EXPECT_EQ(hand_over(*package, parse_servers({"127.0.0.2", "127.0.0.1"}), hangs_up.port()),
            QueueExit::connection_refused);
  EXPECT_EQ(hand_over(*package, {}), QueueExit::bad_configuration);
}

TEST(NullClient, OnlyAddressesAreServers) {
  EXPECT_EQ(parse_servers({"192.0.2.1", "mail.example.org", "2001:db8::1", "192.0.2"}).size(), 2U);
}

}  // namespace
}  // namespace postern::qmtp

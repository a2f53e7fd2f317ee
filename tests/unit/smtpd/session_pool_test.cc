// The processes' end of each socket is here, and no process.
#include "smtpd/session_pool.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include "wire/kept_worker.h"

namespace postern::smtpd {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;

class Pools : public testing::Test {
 protected:
  explicit Pools(PoolLimits limits = {}) : pool_(limits) {}

  // With its first client. The process's end.
  Fd add(pid_t pid, const std::string& address) {
    auto sockets = make_packet_pair().value();
    pool_.add(pid, std::move(sockets.ours), address);
    EXPECT_EQ(give(address), pid);
    EXPECT_TRUE(receive_packet(sockets.theirs.get(), 1000).value());
    return std::move(sockets.theirs);
  }
  static void stay(const Fd& process) { ASSERT_TRUE(send_packet(process.get(), {"\0", 1})); }
  static bool is_let_go(const Fd& process) {
    char byte = 0;
    pollfd polled{process.get(), POLLIN, 0};
    return ::poll(&polled, 1, 0) == 1 && ::recv(process.get(), &byte, 1, MSG_PEEK) == 0;
  }
  std::vector<pid_t> hear() {
    std::vector<pollfd> polled;
    pool_.add_to(polled);
    ::poll(polled.data(), polled.size(), 0);
    std::vector<pid_t> pids;
    for (const auto& ended : pool_.hear(polled)) pids.push_back(ended.pid);
    return pids;
  }
  std::optional<pid_t> give(const std::string& address) {
    Client client{Fd(::dup(0)), {"TCPREMOTEIP=" + address, "TCPREMOTEHOST"}};
    return pool_.give(address, client);
  }

  SessionPool pool_;
};

TEST_F(Pools, GiveAClientToAProcessOfHisAddressThatHasStayed) {
  const Fd process = add(100, "192.0.2.1");
  EXPECT_EQ(pool_.busy(), 1U);
  EXPECT_FALSE(give("192.0.2.1"));
  stay(process);
  EXPECT_THAT(hear(), ElementsAre(100));
  EXPECT_EQ(pool_.busy(), 0U);
  EXPECT_EQ(give("192.0.2.1"), 100);
  EXPECT_EQ(pool_.busy(), 1U);
  EXPECT_FALSE(give("192.0.2.1"));
  const auto order = receive_packet(process.get(), 1000).value().value();
  EXPECT_EQ(order.bytes, (std::string("TCPREMOTEIP=192.0.2.1\0TCPREMOTEHOST\0", 36)));
  EXPECT_EQ(order.descriptors.size(), 1U);
}

TEST_F(Pools, GiveNobodyToAProcessOfAnotherAddress) {
  const Fd process = add(100, "192.0.2.1");
  stay(process);
  (void)hear();
  for (const char* other : {"192.0.2.10", "192.0.2.", "", "2001:db8::1"}) EXPECT_FALSE(give(other));
}

TEST_F(Pools, CountAClientOnceHoweverHisProcessEnds) {
  const Fd stayed = add(100, "192.0.2.1");
  const Fd ended = add(101, "192.0.2.2");
  stay(stayed);
  stay(stayed);  // as no process of ours does
  EXPECT_THAT(hear(), ElementsAre(100));
  EXPECT_THAT(hear(), ElementsAre());
  EXPECT_EQ(pool_.remove(101, 256)->status, 256);
  EXPECT_FALSE(pool_.remove(100, 0));
  EXPECT_FALSE(pool_.remove(4711, 0));
  EXPECT_EQ(pool_.busy(), 0U);
}

TEST_F(Pools, DoNotUseAProcessThatHasGone) {
  Fd process = add(100, "192.0.2.1");
  stay(process);
  (void)hear();
  process.reset();
  EXPECT_FALSE(give("192.0.2.1"));
  EXPECT_THAT(hear(), ElementsAre());
  EXPECT_EQ(pool_.busy(), 0U);
}

TEST_F(Pools, CountWhoIsForOneClientUntilItEnds) {
  pool_.add_for_one(100);
  pool_.add_for_one(101);
  EXPECT_EQ(pool_.busy(), 2U);
  EXPECT_FALSE(give(""));
  EXPECT_EQ(pool_.tidy(), -1);
  EXPECT_EQ(pool_.remove(100, 256)->status, 256);
  EXPECT_EQ(pool_.busy(), 1U);
}

TEST_F(Pools, DoNotCountWhoHasHadNoClientYet) {
  auto sockets = make_packet_pair().value();
  pool_.add(100, std::move(sockets.ours), "192.0.2.1");
  EXPECT_EQ(pool_.busy(), 0U);
  EXPECT_GT(pool_.tidy(), 0);
  sockets.theirs.reset();
  EXPECT_FALSE(give("192.0.2.1"));
  EXPECT_FALSE(pool_.remove(100, 0));
}

struct ShortLivedPools : Pools {
  ShortLivedPools() : Pools({.idle = 0ms}) {}
};
TEST_F(ShortLivedPools, LetGoOfWhoHasWaitedTooLong) {
  const Fd process = add(100, "192.0.2.1");
  EXPECT_EQ(pool_.tidy(), -1);
  EXPECT_FALSE(is_let_go(process));
  stay(process);
  (void)hear();
  (void)pool_.tidy();
  EXPECT_TRUE(is_let_go(process));
  EXPECT_FALSE(give("192.0.2.1"));
}

struct SmallPools : Pools {
  SmallPools() : Pools({.most_idle = 2}) {}
};
TEST_F(SmallPools, LetGoOfWhoHasWaitedLongestWhenThereAreTooMany) {
  const Fd processes[] = {add(100, "a"), add(101, "b"), add(102, "c")};
  for (const auto& process : processes) {
    stay(process);
    (void)hear();
  }
  EXPECT_GT(pool_.tidy(), 0);
  EXPECT_TRUE(is_let_go(processes[0]));
  EXPECT_FALSE(is_let_go(processes[1]));
  EXPECT_FALSE(is_let_go(processes[2]));
}

struct PoolsOfTwoClients : Pools {
  PoolsOfTwoClients() : Pools({.most_clients = 2}) {}
};
TEST_F(PoolsOfTwoClients, LetGoOfWhoHasServedEnough) {
  const Fd process = add(100, "192.0.2.1");
  stay(process);
  (void)hear();
  EXPECT_EQ(give("192.0.2.1"), 100);
  (void)receive_packet(process.get(), 1000);
  stay(process);
  EXPECT_THAT(hear(), ElementsAre(100));
  EXPECT_TRUE(is_let_go(process));
}

}  // namespace
}  // namespace postern::smtpd

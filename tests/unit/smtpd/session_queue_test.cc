#include "smtpd/session_queue.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "posix/environment.h"
#include "wire/home.h"

namespace postern::smtpd {
namespace {

class SessionQueues : public testing::Test {
 protected:
  void SetUp() override {
    set_environment_variable("QMAILHOME", "/here");
    ASSERT_EQ(::dup2(0, session_orders_fd), session_orders_fd);
  }
  void TearDown() override {
    unset_environment_variable("QMAILHOME");
    ::close(session_orders_fd);
  }
  static void offer(const std::string& home) {
    set_environment_variable(session_orders_variable, home);
  }
};

TEST_F(SessionQueues, AreTheServersWhereItHasOffered) {
  offer("/here");
  auto queue = SessionQueue::from_environment();
  EXPECT_FALSE(environment_variable(session_orders_variable));
  EXPECT_EQ(::fcntl(session_orders_fd, F_GETFD), FD_CLOEXEC);
  auto* const servers = &queue.for_this_client();
  set_environment_variable("QMAILHOME", "/elsewhere");
  EXPECT_NE(&queue.for_this_client(), servers);
  set_environment_variable("QMAILHOME", "/here");
  EXPECT_EQ(&queue.for_this_client(), servers);
}

TEST_F(SessionQueues, AreOnesOwnWithoutAnOfferOrItsDescriptor) {
  auto without = SessionQueue::from_environment();
  EXPECT_EQ(::fcntl(session_orders_fd, F_GETFD), 0);
  offer("/elsewhere");
  auto other = SessionQueue::from_environment();
  offer("/here");
  auto offered = SessionQueue::from_environment();  // `other` has the descriptor
  EXPECT_NE(&offered.for_this_client(), &other.for_this_client());
  ::close(session_orders_fd);
  offer("");
  auto closed = SessionQueue::from_environment();
  EXPECT_EQ(&closed.for_this_client(), &closed.for_this_client());
}

}  // namespace
}  // namespace postern::smtpd

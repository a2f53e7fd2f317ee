#include "spawn/known_users.h"

#include <gtest/gtest.h>

#include <fstream>

#include "support/temporary_directory.h"

namespace postern::spawning {
namespace {

using namespace std::chrono_literals;

class Users : public ::testing::Test {
 protected:
  test::TemporaryDirectory here_;
  KnownUsers::Time now_{};
  KnownUsers known_{{"cdb", "passwd"}, [this] { return now_; }};
  const wire::LocalUser joe_{"joe", 1000, 1000, "/home/joe", "", ""};
};

TEST_F(Users, AreKnownForASecond) {
  EXPECT_EQ(known_.find("joe"), std::nullopt);
  known_.remember("joe", joe_);
  now_ += 999ms;
  EXPECT_EQ(known_.find("joe"), joe_);
  EXPECT_EQ(known_.find("joe-ext"), std::nullopt);
  now_ += 1ms;
  EXPECT_EQ(known_.find("joe"), std::nullopt) << "asking does not make an answer younger";
}

TEST_F(Users, AreForgottenWhenAFileThatTheyComeFromAppearsChangesOrGoes) {
  for (const auto& change :
       std::vector<std::function<void()>>{[] { std::ofstream("passwd") << "one"; },
                                          [] { std::ofstream("passwd", std::ios::app) << "two"; },
                                          [] { std::filesystem::rename("passwd", "cdb"); }}) {
    (void)known_.find("joe");
    known_.remember("joe", joe_);
    EXPECT_EQ(known_.find("joe"), joe_);
    change();
    EXPECT_EQ(known_.find("joe"), std::nullopt);
  }
}

TEST_F(Users, AreNeverMoreThanTheLimit) {
  (void)known_.find("");
  for (std::size_t i = 0; i < KnownUsers::most; ++i) known_.remember(std::to_string(i), joe_);
  EXPECT_EQ(known_.find("0"), joe_);
  known_.remember("one more", joe_);
  EXPECT_EQ(known_.find("0"), std::nullopt);
  EXPECT_EQ(known_.find("one more"), joe_);
}

}  // namespace
}  // namespace postern::spawning

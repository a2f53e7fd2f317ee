// qmail-lspawn, with programs of the test's in the place of qmail-local and qmail-getpw.
#pragma once

#include <gtest/gtest.h>
#include <pwd.h>
#include <unistd.h>

#include <fstream>
#include <string>
#include <string_view>

#include "spawn/assign.h"
#include "spawn/local_channel.h"
#include "unit/spawn/spawn_fixture.h"

namespace postern::spawning {

// Local deliveries change identity, which only root can.
class LocalSpawn : public Spawn {
 protected:
  void SetUp() override {
    ASSERT_EQ(::getuid(), 0U) << "run the tests as root";
    nobody_ = *::getpwnam("nobody");
  }
  static void assign(const std::string& lines) {
    std::ofstream("users/assign") << lines << ".\n";
    ASSERT_TRUE(make_users_cdb());
  }
  void start_local(std::string_view script) {
    make_program("bin/qmail-local", script);
    start([&] {
      return LocalChannel({.home = here_.path(),
                           .lookup = {nobody_.pw_uid, nobody_.pw_gid, {}},
                           .default_delivery = "./Maildir/",
                           .now = [] { return KnownUsers::Time{}; }});
    });
  }

  passwd nobody_{};
};

}  // namespace postern::spawning

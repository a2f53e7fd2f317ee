// A message in its first try (docs/QUEUE.md, "The first try").
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "unit/send/answers.h"
#include "unit/send/queue_world.h"
#include "wire/time_limits.h"

namespace postern::send::test {

inline constexpr std::int64_t long_for_a_try = 5;  // seconds

// In its first try, whose report has not come.
struct TriedMessage {
  QueueWorld world;
  wire::MessageId id;

  explicit TriedMessage(const std::string& recipient = "b@z")
      : id(world.put({"a@x", {recipient}})) {
    world.start();
    world.run_until([&] { return count_orders() == 1; });
  }
  [[nodiscard]] std::size_t count_orders() const {
    return world.orders[0].size() + world.orders[1].size();
  }
  void report(const std::string& text) {
    world.report(Channel::remote, world.orders[1].back().number, text);
  }
  void expect_only_todo() const {
    EXPECT_TRUE(QueueWorld::exists(wire::todo_path(id)));
    for (const char* kind : {"info", "local", "remote", "bounce"}) {
      EXPECT_EQ(QueueWorld::count_files(kind), 0U) << kind;
    }
  }
  void expect_files() const {
    EXPECT_FALSE(QueueWorld::exists(wire::todo_path(id)));
    EXPECT_FALSE(QueueWorld::exists(wire::intd_path(id)));
    EXPECT_EQ(QueueWorld::read(wire::info_path(id)), std::string("Fa@x\0", 5));
    EXPECT_EQ(QueueWorld::read(wire::remote_path(id)), std::string("Tb@z\0", 5));
  }
  void expect_end() {
    world.run_until_logged("end msg " + number(id));
    world.run_until_quiet();
    expect_empty_queue();
  }
  // What makes the files cannot be made.
  static void take_info_away() { std::filesystem::rename("info", "info.away"); }
  void last_too_long_for_its_files() {
    take_info_away();
    world.now += long_for_a_try;
    world.run_until_logged("warning: unable to create info/");
  }
  static void bring_info_back() { std::filesystem::rename("info.away", "info"); }
};

}  // namespace postern::send::test

// A first try while files cannot be made or removed, or programs around it are gone.
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>

#include "send/engine.h"
#include "unit/send/answers.h"
#include "unit/send/tried_message.h"
#include "wire/time_limits.h"

namespace postern::send {
namespace {

using namespace std::string_literals;
using test::number;
using test::QueueWorld;
using test::TriedMessage;
namespace fs = std::filesystem;

TEST(FirstTryInTrouble, WhoseTodoCannotBeRemovedIsNotRepeated) {
  TriedMessage message;
  bool refuse_orders = true;
  message.world.clean_answer = [&](const wire::CleanOrder& /*order*/) {
    return refuse_orders ? "!"s : ""s;
  };
  message.report("Kok\n");
  message.world.run_until_logged("warning: qmail-clean unable to clean up todo/" +
                                 number(message.id) + "; will try again later");
  message.world.now += wire::todo_scan_interval;
  message.world.run_until_logged("; will try again later");
  refuse_orders = false;
  message.world.now += wire::system_failure_pause;
  message.expect_end();
  EXPECT_EQ(message.count_orders(), 1U);
}

TEST(FirstTryInTrouble, WhoseFilesCannotBeMadeIsGivenUpAndBegunAgain) {
  for (const std::string text : {"Zno such user\n", "Dno such user\n"}) {
    TriedMessage message;
    TriedMessage::take_info_away();
    message.report(text);
    message.world.run_until_logged("deferral: no_such_user/");
    message.world.run_until_quiet();
    EXPECT_TRUE(QueueWorld::exists(wire::todo_path(message.id)));
    EXPECT_EQ(message.world.count_logged("deferral"), 1U);
    EXPECT_EQ(message.world.count_logged("status: local 0/10 remote 0/20\n"), 2U);
    TriedMessage::bring_info_back();
    message.world.now += wire::system_failure_pause;
    message.world.run_until([&] { return message.count_orders() == 2; });
    message.report("Kok\n");
    message.expect_end();
  }
}

// An empty report has no letter.
TEST(FirstTryInTrouble, WhoseReportIsEmptyIsGivenUpAsWell) {
  TriedMessage message;
  TriedMessage::take_info_away();
  message.report("");
  message.world.run_until_logged("delivery 1: report mangled, will defer");
  message.world.run_until_quiet();
  EXPECT_TRUE(QueueWorld::exists(wire::todo_path(message.id)));
  EXPECT_TRUE(message.world.log().ends_with("status: local 0/10 remote 0/20\n"));
  TriedMessage::bring_info_back();
}

TEST(FirstTryInTrouble, ThatLastsLongGetsItsFilesWhenTheyCanBeMade) {
  TriedMessage message;
  message.last_too_long_for_its_files();
  message.world.run_until_quiet();
  EXPECT_TRUE(QueueWorld::exists(wire::todo_path(message.id)));
  TriedMessage::bring_info_back();
  message.world.now += wire::system_failure_pause;
  message.world.run_until([&] { return !QueueWorld::exists(wire::todo_path(message.id)); });
  message.expect_files();
  EXPECT_EQ(message.count_orders(), 1U);
}

// A remote/N stands that is of no use, and would bring the message once more.
TEST(FirstTryInTrouble, ThatDeliversAfterAllLeavesNoFilesThatWereBegun) {
  TriedMessage message;
  message.last_too_long_for_its_files();
  TriedMessage::bring_info_back();
  message.report("Kok\n");
  message.expect_end();
}

TEST(FirstTryInTrouble, WhoseFilesCannotBeRemovedStaysInTodo) {
  TriedMessage message;
  message.last_too_long_for_its_files();
  fs::remove(wire::remote_path(message.id));
  fs::create_directory(wire::remote_path(message.id));
  message.report("Kok\n");
  message.world.run_until_logged("warning: unable to unlink remote/");
  message.world.run_until_quiet();
  EXPECT_TRUE(QueueWorld::exists(wire::todo_path(message.id)));
  fs::remove(wire::remote_path(message.id));
  TriedMessage::bring_info_back();
  message.world.now += wire::system_failure_pause;
  message.expect_end();
  EXPECT_EQ(message.count_orders(), 1U);
}

TEST(FirstTryInTrouble, RunningAtTheEndIsSettledBefore) {
  for (const std::string text : {"Kok\n", "Znot now\n", "Dno such user\n"}) {
    TriedMessage message;
    message.world.engine().handle_signal(SIGTERM);
    EXPECT_TRUE(message.world.engine().turn(nullptr, std::chrono::milliseconds(1)));
    message.report(text);
    message.world.stop();
    EXPECT_FALSE(QueueWorld::exists(wire::todo_path(message.id))) << text;
    EXPECT_EQ(QueueWorld::exists(wire::mess_path(message.id)), text[0] != 'K') << text;
    if (text[0] == 'Z') message.expect_files();
    if (text[0] == 'D') {
      EXPECT_EQ(QueueWorld::read(wire::info_path(message.id)), "Fa@x\0"s);
      EXPECT_TRUE(QueueWorld::read(wire::bounce_path(message.id)).contains("no such user"));
    }
  }
}

TEST(FirstTryInTrouble, CutOffByACrashIsMadeAgain) {
  TriedMessage message;
  message.world.start();
  message.world.run_until([&] { return message.count_orders() == 2; });
  message.expect_only_todo();
}

TEST(FirstTryInTrouble, EndsWithoutQmailCleanAsADeferral) {
  for (const bool was_settling : {false, true}) {
    TriedMessage message;
    if (was_settling) {
      message.world.clean_answer = [&](const wire::CleanOrder& /*order*/) {
        message.world.close_clean();
        return "-"s;
      };
    } else {
      message.world.close_clean();
      message.world.run_until_logged("lost qmail-clean connection");
    }
    message.report("Znot now\n");
    message.world.run_until_logged("deferral: not_now/");
    message.world.stop();
    EXPECT_TRUE(QueueWorld::exists(wire::todo_path(message.id)));
    EXPECT_TRUE(message.world.log().ends_with("status: exiting\n"));
  }
}

}  // namespace
}  // namespace postern::send

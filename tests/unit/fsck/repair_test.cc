// qmail-queue-fsck on a queue of files. All of it belongs to whoever runs the test.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "fsck/fsck.h"
#include "fsck/mender.h"
#include "fsck/places.h"
#include "posix/clock.h"
#include "posix/files.h"
#include "support/temporary_directory.h"

namespace postern::fsck {
namespace {

using namespace std::string_literals;
namespace fs = std::filesystem;

SuiteIds my_ids() {
  const uid_t uid = ::geteuid();
  return {.queue = uid, .remote = uid, .send = uid, .qmail = ::getegid()};
}

class Repair : public ::testing::Test {
 protected:
  Repair() {
    for (const auto& place : queue_places(wire::queue_split, my_ids())) {
      EXPECT_TRUE(put_right(place)) << place.path;
    }
  }
  int run(bool repair, MessageId split = wire::queue_split) {
    said_.clear();
    const auto done = check_queue({.repair = repair, .split = split}, my_ids(), unix_time(),
                                  [&](std::string_view line) { said_ += line; });
    if (done) return *done;
    said_ += describe(done.error());
    return -1;
  }
  int check() { return run(false); }
  int repair() { return run(true); }

  static void put(const std::string& path, const std::string& text, mode_t mode) {
    std::ofstream(path) << text;
    ASSERT_EQ(::chmod(path.c_str(), mode), 0) << path;
  }
  static void put(Kind kind, MessageId number, const std::string& text, MessageId split = 23) {
    put(place_of(kind, number, split), text, facts_of(kind).mode);
  }
  /// A text under its own number.
  static MessageId put_text(const std::string& text) {
    put("mess/new", text, 0644);
    const MessageId number = stat_file("mess/new")->st_ino;
    EXPECT_TRUE(rename_file("mess/new", place_of(Kind::mess, number, 23)));
    return number;
  }
  static std::string contents(const std::string& path) {
    return read_file(path, 10000).value_or("?");
  }
  static std::string contents(Kind kind, MessageId number) {
    return contents(place_of(kind, number, 23));
  }
  std::string said_;
  test::TemporaryDirectory directory_;
};

TEST_F(Repair, FindsNothingWrongWithANewQueue) {
  EXPECT_EQ(check(), exit_code::sound);
  EXPECT_EQ(said_, "messages: 0, nothing is wrong\n");
  EXPECT_EQ(repair(), exit_code::sound);
}

TEST_F(Repair, LeavesASoundMessageAlone) {
  const auto number = put_text("hello\n");
  put(Kind::todo, number, "u0\0p1\0Fa@x\0Tb@y\0"s);
  EXPECT_EQ(repair(), exit_code::sound) << said_;
  EXPECT_EQ(contents(Kind::mess, number), "hello\n");
}

TEST_F(Repair, SwapsTheNumbersOfTwoMessages) {
  const auto first = put_text("first\n");
  const auto second = put_text("second\n");
  // As if each had been given the other's number.
  fs::rename(place_of(Kind::mess, first, 23), "between");
  fs::rename(place_of(Kind::mess, second, 23), place_of(Kind::mess, first, 23));
  fs::rename("between", place_of(Kind::mess, second, 23));
  put(Kind::info, second, "Ffirst@x\0"s);
  put(Kind::local, second, "Tb@y\0"s);
  put(Kind::todo, first, "u0\0p1\0Fsecond@x\0Tb@y\0"s);
  EXPECT_EQ(check(), exit_code::unsound);
  EXPECT_EQ(contents(Kind::info, second), "Ffirst@x\0"s) << "a check changed something";
  EXPECT_EQ(repair(), exit_code::mended) << said_;
  EXPECT_EQ(contents(Kind::mess, first), "first\n");
  EXPECT_EQ(contents(Kind::info, first), "Ffirst@x\0"s);
  EXPECT_EQ(contents(Kind::local, first), "Tb@y\0"s);
  EXPECT_EQ(contents(Kind::mess, second), "second\n");
  EXPECT_EQ(contents(Kind::todo, second), "u0\0p1\0Fsecond@x\0Tb@y\0"s);
  EXPECT_EQ(check(), exit_code::sound) << said_;
}

TEST_F(Repair, MovesMessagesToAnotherSplitAndBack) {
  const auto number = put_text("hello\n");
  put(Kind::info, number, "Fa@x\0"s);
  put(Kind::local, number, "Tb@y\0"s);
  EXPECT_EQ(run(true, 5), exit_code::mended) << said_;
  EXPECT_EQ(contents(place_of(Kind::local, number, 5)), "Tb@y\0"s);
  EXPECT_FALSE(fs::exists("mess/5"));
  EXPECT_EQ(run(false, 5), exit_code::sound) << said_;
  EXPECT_EQ(check(), exit_code::unsound);
  EXPECT_EQ(repair(), exit_code::mended) << said_;
  EXPECT_EQ(contents(Kind::mess, number), "hello\n");
  EXPECT_EQ(check(), exit_code::sound) << said_;
}

TEST_F(Repair, KeepsWhatCannotBeDeliveredWithAReason) {
  const auto number = put_text("no envelope\n");
  put(Kind::local, number, "Tb@y\0"s);
  EXPECT_EQ(repair(), exit_code::mended) << said_;
  const std::string place = "set-aside/" + std::to_string(number);
  EXPECT_EQ(contents(place + "/mess"), "no envelope\n");
  EXPECT_EQ(contents(place + "/local"), "Tb@y\0"s);
  EXPECT_TRUE(contents(place + "/why").contains("the sender is not known"));
  EXPECT_EQ(check(), exit_code::sound) << said_;
}

TEST_F(Repair, TakesAnotherNameWhereOneIsTaken) {
  fs::create_directories("set-aside/1");
  put(Kind::info, 1, "Fa@x\0"s);
  EXPECT_EQ(repair(), exit_code::mended) << said_;
  EXPECT_EQ(contents("set-aside/1-2/info"), "Fa@x\0"s);
}

TEST_F(Repair, GoesOnWithAMessageThatWasHalfSetAside) {
  fs::create_directories("set-aside/1.unfinished");
  put("set-aside/1.unfinished/mess", "the text\n", 0644);
  put("set-aside/1.unfinished/why", "first reason", 0600);
  put(Kind::info, 1, "Fa@x\0"s);
  fs::create_directories("set-aside/2.unfinished");
  put("set-aside/2.unfinished/mess", "another\n", 0644);
  EXPECT_EQ(repair(), exit_code::mended) << said_;
  EXPECT_EQ(contents("set-aside/1/mess"), "the text\n");
  EXPECT_EQ(contents("set-aside/1/info"), "Fa@x\0"s);
  EXPECT_EQ(contents("set-aside/1/why"), "first reason");
  EXPECT_EQ(contents("set-aside/2/mess"), "another\n");
}

TEST_F(Repair, EndsOneThatWasCutShortWhileGathering) {
  const auto number = put_text("hello\n");
  const auto old = number + 23;
  fs::rename(place_of(Kind::mess, number, 23), place_of(Kind::mess, old, 23));
  put(Kind::local, old, "Tb@y\0"s);
  fs::create_directory(gathering);
  put(std::string(gathering) + "/" + format_passage({Kind::info, old, number}), "Fa@x\0"s, 0600);
  EXPECT_EQ(check(), exit_code::unsound);
  EXPECT_TRUE(said_.starts_with("a repair was cut short here; the queue is closed\n")) << said_;
  EXPECT_EQ(repair(), exit_code::mended) << said_;
  EXPECT_EQ(contents(Kind::mess, number), "hello\n");
  EXPECT_EQ(contents(Kind::info, number), "Fa@x\0"s);
  EXPECT_EQ(contents(Kind::local, number), "Tb@y\0"s);
  EXPECT_EQ(check(), exit_code::sound) << said_;
}

TEST_F(Repair, EndsOneThatWasCutShortWhilePlacing) {
  const auto number = put_text("hello\n");
  const auto old = number + 1;
  fs::create_directory(placing);
  const auto between = [&](Kind kind) {
    return std::string(placing) + "/" + format_passage({kind, old, number});
  };
  fs::rename(place_of(Kind::mess, number, 23), between(Kind::mess));
  put(between(Kind::info), "Fa@x\0"s, 0600);
  put(Kind::local, number, "Tb@y\0"s);  // has arrived
  EXPECT_EQ(repair(), exit_code::mended) << said_;
  EXPECT_EQ(contents(Kind::mess, number), "hello\n");
  EXPECT_EQ(contents(Kind::info, number), "Fa@x\0"s);
  EXPECT_EQ(check(), exit_code::sound) << said_;
}

TEST_F(Repair, NeverWritesOverAFile) {
  const auto number = put_text("hello\n");
  put(Kind::todo, number, "u0\0p1\0Fa@x\0Tb@y\0"s);
  fs::create_directory(placing);
  put(std::string(placing) + "/" + format_passage({Kind::todo, 1, number}), "other", 0644);
  EXPECT_EQ(repair(), -1);
  EXPECT_TRUE(said_.contains("; the queue stays closed until a --repair has ended: File exists"))
      << said_;
  EXPECT_EQ(contents(Kind::todo, number), "u0\0p1\0Fa@x\0Tb@y\0"s);
  EXPECT_EQ(stat_file("pid")->st_mode & 07777, 0U);
  EXPECT_EQ(stat_file("lock/sendmutex")->st_mode & 07777, 0U);
}

TEST_F(Repair, MakesWhatIsMissing) {
  for (const char* path : {"mess/7", "todo", "lock", "bounce"}) fs::remove_all(path);
  EXPECT_EQ(check(), exit_code::unsound);
  EXPECT_TRUE(said_.contains("mess/7: missing\n")) << said_;
  EXPECT_TRUE(said_.contains("lock/trigger: missing: new mail is seen up to 25 minutes late\n"));
  EXPECT_TRUE(said_.contains("lock/sendmutex: missing: qmail-send does not start\n"));
  EXPECT_EQ(repair(), exit_code::mended) << said_;
  EXPECT_TRUE(S_ISFIFO(stat_file("lock/trigger")->st_mode));
  EXPECT_EQ(stat_file("lock/tcpto")->st_size, 1024);
  EXPECT_EQ(check(), exit_code::sound) << said_;
}

TEST_F(Repair, MendsLockFilesThatAreOfAnotherKindOrSize) {
  fs::remove("lock/trigger");
  put("lock/trigger", "", 0622);
  put("lock/tcpto", "short", 0644);
  ASSERT_EQ(::chmod("todo", 0755), 0);
  EXPECT_EQ(check(), exit_code::unsound);
  EXPECT_TRUE(said_.contains("lock/trigger: not a FIFO: new mail is seen up to 25")) << said_;
  EXPECT_TRUE(said_.contains("lock/tcpto: its size is 5, not 1024: dead hosts are tried")) << said_;
  EXPECT_TRUE(said_.contains(" 0755, not ")) << said_;
  EXPECT_EQ(repair(), exit_code::mended) << said_;
  EXPECT_TRUE(fs::exists("set-aside/strays/lock.trigger"));
  EXPECT_EQ(contents("lock/tcpto"), "short" + std::string(1019, '\0'));
  EXPECT_EQ(check(), exit_code::sound) << said_;
}

TEST_F(Repair, KeepsStraysAndRemovesEmptyDirectoriesOfABigTodo) {
  fs::create_directories("todo/3");
  put("mess/8/core", "x", 0644);
  put("todo/3/core", "y", 0644);
  fs::create_symlink("/etc/passwd", "info/0/100");
  EXPECT_EQ(repair(), exit_code::mended) << said_;
  EXPECT_EQ(contents("set-aside/strays/mess.8.core"), "x");
  EXPECT_EQ(contents("set-aside/strays/todo.3.core"), "y");
  EXPECT_TRUE(fs::is_symlink("set-aside/strays/info.0.100"));
  EXPECT_FALSE(fs::exists("todo/3"));
}

TEST_F(Repair, RefusesWhileQmailSendRuns) {
  const auto lock = open_file("lock/sendmutex", O_WRONLY);
  ASSERT_EQ(::flock(lock->get(), LOCK_EX), 0);
  for (const bool repair : {false, true}) {
    EXPECT_EQ(run(repair), -1);
    EXPECT_EQ(said_, "qmail-send is running: stop it first (qmailctl stop), start it afterwards");
  }
}

TEST_F(Repair, FollowsNoSymbolicLink) {
  fs::rename("info", "elsewhere");
  fs::create_symlink("elsewhere", "info");
  EXPECT_EQ(repair(), -1);
  EXPECT_EQ(said_,
            "info is a symbolic link, and none is followed here: mount what it leads to in its "
            "place");
}

TEST_F(Repair, DoesNotUseADirectoryThatSomebodyElseHasPutThere) {
  fs::create_symlink("/tmp", "set-aside");
  put(Kind::info, 1, "Fa@x\0"s);
  EXPECT_EQ(repair(), -1);
  EXPECT_TRUE(said_.contains("\nset-aside is in the way: move it out of the queue")) << said_;
  EXPECT_EQ(contents(Kind::info, 1), "Fa@x\0"s);
}

TEST(FsckOptions, AreReadAndChecked) {
  const auto parse = [](std::initializer_list<const char*> words) {
    std::vector<const char*> argv{"qmail-queue-fsck"};
    argv.insert(argv.end(), words);
    return parse_options(static_cast<int>(argv.size()), argv.data(), "/var/qmail");
  };
  EXPECT_EQ(parse({})->queue, "/var/qmail/queue");
  EXPECT_FALSE(parse({})->repair);
  EXPECT_EQ(parse({})->split, wire::queue_split);
  const auto all = parse({"--repair", "--split", "47", "/backup/queue"});
  ASSERT_TRUE(all);
  EXPECT_TRUE(all->repair);
  EXPECT_EQ(all->split, 47U);
  EXPECT_EQ(all->queue, "/backup/queue");
  for (const auto& wrong :
       {parse({"--fix"}), parse({"--split"}), parse({"--split", "0"}), parse({"--split", "-1"}),
        parse({"--split", "10001"}), parse({""}), parse({"/a", "/b"})}) {
    EXPECT_FALSE(wrong);
  }
}

}  // namespace
}  // namespace postern::fsck

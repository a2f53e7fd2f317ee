// qmail-lspawn, with a script in the place of qmail-getpw that stays for the next address.
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <csignal>
#include <filesystem>
#include <set>

#include "unit/spawn/local_spawn_fixture.h"

namespace postern::spawning {
namespace {

using namespace std::string_literals;

// A qmail-getpw that stays: its answer's extension says its process and the address, and whether
// the address has come as an order. Of "crash" it is killed, of "fail" it exits 118, of "cut" its
// answer is not whole, of "flood" and "late" there is too much of it, and of "late" it is read
// before qmail-getpw says that it stays; of "hang" it answers when somebody writes to the fifo.
constexpr std::string_view staying_qmail_getpw = R"(
import os, signal, socket, sys, time
kept = os.environ.get("POSTERN_KEPT_WORKER")
spawn = kept and socket.socket(fileno=int(kept))
local, how = sys.argv[1], "first"
while True:
    if local == "crash": os.kill(os.getpid(), signal.SIGKILL)
    if local == "fail": sys.exit(118)
    if local == "hang": open("fifo").read()
    rest = "x" * 5000 if local in ("flood", "late") else local
    answer = f"joe\0001234\0002345\0/h\0-\0{os.getpid()} {how} {rest}\0".encode()
    os.write(1, answer[:12] if local == "cut" else answer)
    if local == "late": time.sleep(0.2)
    if not spawn: sys.exit(0)
    spawn.send(b"\0")
    order = spawn.recv(65536)
    if not order: sys.exit(0)
    local, how = order[:-1].decode(), "order"
)";

class LookupsThatStay : public LocalSpawn {
 protected:
  void start_lookups(bool ours = true) {
    write_getpw();
    make_program("bin/qmail-local", "echo \"$6\"");
    start([&] {
      return LocalChannel({.home = here_.path(),
                           .lookup = {nobody_.pw_uid, nobody_.pw_gid, {}},
                           .default_delivery = "./Maildir/",
                           .is_own_getpw = [=](const auto&) { return ours; }});
    });
  }
  static void write_getpw() {
    std::filesystem::remove("bin/qmail-getpw");
    std::ofstream("bin/qmail-getpw") << "#!/usr/bin/python3\n" << staying_qmail_getpw;
    std::filesystem::permissions("bin/qmail-getpw", std::filesystem::perms{0755});
  }
  std::string deliver(const std::string& local) {
    order(3, local + "@h");
    return report().substr(2);
  }
  // The process that has answered, in such a way.
  std::string ask(const std::string& local, const std::string& how) {
    const std::string text = deliver(local);
    const std::size_t blank = text.find(' ');
    EXPECT_EQ(text.substr(blank), " " + how + " " + local + "\n");
    return text.substr(1, blank - 1);
  }
  const std::string failure_ = "ZTemporary failure in qmail-lspawn.\n";
};

TEST_F(LookupsThatStay, AnswerForOneAddressAfterAnother) {
  start_lookups();
  const std::string first = ask("a", "first");
  EXPECT_EQ(ask("b", "order"), first);
  EXPECT_EQ(ask("C", "order"), first);
}

TEST_F(LookupsThatStay, AreNotOfferedToAProgramThatIsNotOurs) {
  start_lookups(false);
  const std::string first = ask("a", "first");
  EXPECT_NE(ask("b", "first"), first);
}

TEST_F(LookupsThatStay, DeferWhatTheyFailIn) {
  start_lookups();
  for (const char* trouble : {"crash", "fail"}) {
    const std::string first = ask("a-"s + trouble, "first");
    EXPECT_EQ(deliver(trouble), failure_);
    EXPECT_NE(ask("b-"s + trouble, "first"), first);
    EXPECT_EQ(deliver(trouble), failure_) << "of one that has just been asked " << trouble;
  }
}

TEST_F(LookupsThatStay, DeferWhatTheyHaveNoWholeAnswerFor) {
  start_lookups();
  ask("a", "first");
  EXPECT_EQ(deliver("cut"), "ZInternal qmail-lspawn bug.\n");
  EXPECT_EQ(deliver("flood"), "ZInternal qmail-lspawn bug.\n");
  ask("b", "first");
  EXPECT_EQ(deliver("late"), "ZInternal qmail-lspawn bug.\n");
  ask("c", "first");
}

TEST_F(LookupsThatStay, AreNotMissedWhenTheyAreGone) {
  start_lookups();
  const std::string first = ask("a", "first");
  ASSERT_EQ(::kill(std::stoi(first), SIGKILL), 0);
  while (::kill(std::stoi(first), 0) == 0) ::usleep(1000);  // until the spawn has collected it
  ask("b", "first");
}

// Its answer, when it comes, is for nobody else.
TEST_F(LookupsThatStay, HoldUpNobodyElseWhenOneHangs) {
  ASSERT_EQ(::mkfifo("fifo", 0600), 0);
  ASSERT_EQ(::chown("fifo", nobody_.pw_uid, nobody_.pw_gid), 0);
  start_lookups();
  const std::string first = ask("a", "first");
  order(5, "hang@h");
  const std::string second = ask("b", "first");
  EXPECT_EQ(ask("c", "order"), second);
  std::ofstream("fifo") << "go";
  EXPECT_EQ(report(), "5 K" + first + " order hang\n");
  EXPECT_EQ(ask("d", "order"), first) << "the last that has answered";
}

TEST_F(LookupsThatStay, GoWithTheirProgram) {
  start_lookups();
  const std::string first = ask("a", "first");
  write_getpw();
  EXPECT_NE(ask("b", "first"), first);
}

TEST_F(LookupsThatStay, GoWithTheSpawn) {
  start_lookups();
  const pid_t worker = std::stoi(ask("a", "first"));
  EXPECT_EQ(finish(), 0);
  while (::kill(worker, 0) == 0) ::usleep(1000);  // it ends for want of the other end of its socket
}

TEST_F(LookupsThatStay, HaveNothingOfTheSpawnsButTheirSocket) {
  start_lookups();
  const std::string first = ask("a", "first");
  std::set<std::string> open;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/" + first + "/fd")) {
    open.insert(entry.path().filename());
  }
  EXPECT_THAT(open, ::testing::UnorderedElementsAre("0", "1", "2", "3"));
  EXPECT_EQ(std::filesystem::read_symlink("/proc/" + first + "/fd/0"), "/dev/null");
}

}  // namespace
}  // namespace postern::spawning

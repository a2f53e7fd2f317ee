// qmail-lspawn, with scripts in the place of qmail-getpw and qmail-local.
#include "spawn/local_channel.h"

#include <csignal>
#include <filesystem>

#include "posix/files.h"
#include "spawn/assign.h"
#include "unit/spawn/local_spawn_fixture.h"

namespace postern::spawning {
namespace {

using namespace std::string_literals;

TEST_F(LocalSpawn, RunsQmailLocalAsTheUserWithEightArguments) {
  assign("+joe-:joe:1234:2345:/home/joe:-:pre-:\n");
  start_local("echo \"$@\"; id -u; id -g; id -G; pwd; cat");
  order(3, "Joe-Ext@Example.ORG");
  EXPECT_EQ(report(),
            "3 K-- joe /home/joe Joe-Ext - pre-Ext Example.ORG s@h ./Maildir/\n"
            "1234\n2345\n2345\n" +
                here_.path() + "\nthe message\n");
}

TEST_F(LocalSpawn, ReportsByExitCode) {
  assign("+:joe:1234:2345:/home/joe:-::\n");
  start_local("echo text; exit $6");
  for (const auto& [code, expected] :
       {std::pair("100", "Dtext\n"), std::pair("111", "Ztext\n"), std::pair("0", "Ktext\n"),
        std::pair("117", "ZTrouble reading users/cdb in qmail-lspawn.\n")}) {
    order(3, std::string(code) + "@h");
    EXPECT_EQ(report(), std::string("3 ") + expected);
  }
}

TEST_F(LocalSpawn, DeliversMailForNobodyWithoutAProcess) {
  start_local("echo text; exit 100");
  order(3, "@h");
  EXPECT_EQ(report(), "3 K");
}

TEST_F(LocalSpawn, NeverDeliversAsRoot) {
  assign("=root:root:0:0:/root:::\n");
  start_local("echo ran");
  order(3, "root@h");
  EXPECT_EQ(report(), "3 ZNot allowed to perform deliveries as root.\n");
}

TEST_F(LocalSpawn, AsksQmailGetpwAboutWhoeverIsNotAssigned) {
  make_program("bin/qmail-getpw",
               "[ $(id -u) -ne 0 ] && printf '%s\\0001234\\0002345\\000/h\\000-\\000x\\000' $1");
  assign("=bob:bob:1:1:/:::\n");
  start_local("echo \"$@\"");
  order(3, "joe@h");
  EXPECT_EQ(report(), "3 K-- joe /h joe - x h s@h ./Maildir/\n");
}

TEST_F(LocalSpawn, AsksOnceAboutABurstOfMailForOneAddress) {
  std::filesystem::create_directory("seen");
  std::filesystem::permissions("seen", std::filesystem::perms{0777});
  make_program("bin/qmail-getpw",
               "echo $1 >>" + here_.path() +
                   "/seen/asked\nprintf '%s\\0001234\\0002345\\000/h\\000-\\000x\\000' $1");
  start_local("echo \"$@\"");
  for (const char* name : {"joe", "Joe", "joe", "joe"}) {
    order(3, std::string(name) + "@h");
    EXPECT_EQ(report(), "3 K-- "s + name + " /h " + name + " - x h s@h ./Maildir/\n");
  }
  EXPECT_EQ(read_file("seen/asked", 1000).value(), "joe\nJoe\n");
}

TEST_F(LocalSpawn, AsksAgainWhenUsersAreAssigned) {
  make_program("bin/qmail-getpw", "printf '%s\\0001234\\0002345\\000/h\\000-\\000x\\000' $1");
  start_local("echo \"$2\"");
  order(3, "joe@h");
  EXPECT_EQ(report(), "3 Kjoe\n");
  assign("=joe:bob:1234:2345:/home/bob:::\n");
  order(3, "joe@h");
  EXPECT_EQ(report(), "3 Kbob\n");
}

TEST_F(LocalSpawn, DefersWhenTheLookUpFails) {
  start_local("echo ran");
  order(3, "joe@h");
  EXPECT_EQ(report(), "3 ZUnable to run qmail-getpw.\n");
  make_program("bin/qmail-getpw", "exit 116");
  order(3, "joe@h");
  EXPECT_EQ(report(), "3 ZUnable to find alias user!\n");
  make_program("bin/qmail-getpw", "echo nonsense");
  order(3, "joe@h");
  EXPECT_EQ(report(), "3 ZInternal qmail-lspawn bug.\n");
  std::ofstream("users/cdb") << "this is no cdb file";
  order(3, "joe@h");
  EXPECT_EQ(report(), "3 ZTrouble reading users/cdb in qmail-lspawn.\n");
}

TEST_F(LocalSpawn, LooksUpWhereItCanNeitherTakeOrdersNorForgeReports) {
  make_program("bin/qmail-getpw",
               "ls -l /proc/self/fd 2>/dev/null >" + here_.path() + "/seen/fds; exit 116");
  std::filesystem::create_directory("seen");
  std::filesystem::permissions("seen", std::filesystem::perms{0777});
  start_local("");
  order(3, "joe@h");
  EXPECT_EQ(report(), "3 ZUnable to find alias user!\n");
  const auto fds = read_file("seen/fds", 10000).value();
  EXPECT_THAT(fds, ::testing::HasSubstr(" 0 -> /dev/null"));
  EXPECT_THAT(fds, ::testing::Not(::testing::HasSubstr("pipe:"))) << fds;
}

// A qmail-local that stays: says its process, the recipient and the message each time. Of "leave"
// it ends in good order, of "crash" it does not, of "fail" it exits 100, of "flood" it never ends
// writing; of "shut" its output ends before it does, and only the spawn can end it.
constexpr std::string_view staying_qmail_local = R"(
import os, signal, socket, sys
spawn = socket.socket(fileno=int(os.environ["POSTERN_KEPT_WORKER"]))
words, message = sys.argv[1:], 0
while True:
    local = words[3]
    text = "%d %s %s" % (os.getpid(), local, os.read(message, 100).decode())
    os.write(1, b"x" * 65536 if local == "flood" else
                b"x" * 17000 if local == "much" else text.encode())
    if local == "leave": sys.exit(0)
    if local == "fail": sys.exit(100)
    if local == "crash": os.kill(os.getpid(), signal.SIGKILL)
    if local == "shut": os.close(1), os.close(2), spawn.recv(1), sys.exit(0)
    os.close(message)
    spawn.send(b"\0")
    order, fds, _, _ = socket.recv_fds(spawn, 65536, 1)
    if not order: sys.exit(0)
    words, message = order.decode().split("\0")[:-1], fds[0]
)";

class WorkersThatStay : public LocalSpawn {
 protected:
  void start_staying() {
    std::ofstream("bin/qmail-local") << "#!/usr/bin/python3\n" << staying_qmail_local;
    std::filesystem::permissions("bin/qmail-local", std::filesystem::perms{0755});
    start([&] {
      return LocalChannel({.home = here_.path(),
                           .lookup = {nobody_.pw_uid, nobody_.pw_gid, {}},
                           .default_delivery = "./Maildir/"});
    });
  }
  // What is reported of a delivery, without its number and letter.
  std::string deliver(const std::string& local) {
    order(3, local + "@h");
    return report().substr(3);
  }
  static std::string process_of(const std::string& text) { return text.substr(0, text.find(' ')); }
};

TEST_F(WorkersThatStay, DeliverTheNextMessageToTheSameUserAsWell) {
  assign("+:joe:1234:2345:/home/joe:-::\n");
  start_staying();
  const std::string first = deliver("a");
  EXPECT_EQ(first, process_of(first) + " a the message\n");
  std::filesystem::create_directory("queue/mess/9");
  std::ofstream("queue/mess/9/101") << "another\n";
  order(4, "b@h", "9/101");
  EXPECT_EQ(report(), "4 K" + process_of(first) + " b another\n");
}

TEST_F(WorkersThatStay, ServeOneUserAlone) {
  assign(
      "=a:joe:1234:2345:/home/joe:::\n=b:joe:1234:2346:/home/joe:::\n"
      "=c:joe:1234:2345:/home/jo:::\n=d:jo:1234:2345:/home/joe:::\n"
      "=e:joe:1235:2345:/home/joe:::\n=f:joe:1234:2345:/home/joe:-:x:\n");
  start_staying();
  const std::string first = process_of(deliver("a"));
  for (const char* other : {"b", "c", "d", "e"}) EXPECT_NE(process_of(deliver(other)), first);
  EXPECT_EQ(process_of(deliver("f")), first);
}

TEST_F(WorkersThatStay, MayFailLikeAnyOther) {
  assign("+:joe:1234:2345:/home/joe:-::\n");
  start_staying();
  const std::string first = process_of(deliver("a"));
  EXPECT_EQ(deliver("fail"), first + " fail the message\n");
  const std::string second = process_of(deliver("a"));
  EXPECT_NE(second, first);
  order(3, "crash@h");
  EXPECT_EQ(report(), "3 Zqmail-local crashed.\n");
  EXPECT_NE(process_of(deliver("a")), second);
}

TEST_F(WorkersThatStay, AreNotMissedWhenTheyAreGone) {
  assign("+:joe:1234:2345:/home/joe:-::\n");
  start_staying();
  const std::string first = process_of(deliver("a"));
  ASSERT_EQ(::kill(std::stoi(first), SIGKILL), 0);
  while (::kill(std::stoi(first), 0) == 0) {
    // Until the spawn has collected it.
  }
  const std::string second = deliver("b");
  EXPECT_EQ(second, process_of(second) + " b the message\n");
  EXPECT_NE(process_of(second), first);
}

TEST_F(WorkersThatStay, AreNotPreferredToANewProgram) {
  assign("+:joe:1234:2345:/home/joe:-::\n");
  start_staying();
  const std::string first = process_of(deliver("a"));
  std::filesystem::copy_file("bin/qmail-local", "bin/new");
  std::filesystem::rename("bin/new", "bin/qmail-local");
  EXPECT_NE(process_of(deliver("a")), first);
}

TEST_F(WorkersThatStay, CannotKeepTheSpawnReading) {
  assign("+:joe:1234:2345:/home/joe:-::\n");
  start_staying();
  EXPECT_THAT(deliver("flood"), ::testing::HasSubstr("Error report too long, sorry."));
  EXPECT_THAT(deliver("a"), ::testing::EndsWith(" a the message\n"));
}

// As when its output cannot be read to the end.
TEST_F(WorkersThatStay, AreLetGoWhenTheirOutputHasEnded) {
  assign("+:joe:1234:2345:/home/joe:-::\n");
  start_staying();
  EXPECT_THAT(deliver("shut"), ::testing::EndsWith(" shut the message\n"));
  EXPECT_THAT(deliver("a"), ::testing::EndsWith(" a the message\n"));
}

TEST_F(WorkersThatStay, AreHeardToTheEnd) {
  assign("+:joe:1234:2345:/home/joe:-::\n");
  start_staying();
  const std::string first = process_of(deliver("a"));
  EXPECT_EQ(deliver("much"), std::string(2966, 'x') + "\nError report too long, sorry.\n");
  EXPECT_NE(process_of(deliver("a")), first) << "one that says too much is let go";
}

TEST_F(WorkersThatStay, GoWithTheSpawn) {
  assign("+:joe:1234:2345:/home/joe:-::\n");
  start_staying();
  const pid_t worker = std::stoi(process_of(deliver("a")));
  EXPECT_EQ(finish(), 0);
  while (::kill(worker, 0) == 0) ::usleep(1000);  // it ends for want of the other end of its socket
}

TEST_F(LocalSpawn, OffersNothingToAProgramThatStandsInForQmailLocal) {
  assign("+:joe:1234:2345:/home/joe:-::\n");
  make_program("bin/other", "echo \"[$POSTERN_KEPT_WORKER]\"; ls /proc/self/fd | grep -c 3");
  start([&] {
    return LocalChannel({.home = here_.path(),
                         .lookup = {nobody_.pw_uid, nobody_.pw_gid, {}},
                         .default_delivery = "./Maildir/",
                         .program = "bin/other"});
  });
  order(3, "a@h");
  EXPECT_THAT(report(), ::testing::StartsWith("3 K[]\n"));
}

TEST_F(LocalSpawn, DefersWhenQmailLocalCannotBeRun) {
  assign("+:joe:1234:2345:/home/joe:-::\n");
  start_local("");
  std::filesystem::remove("bin/qmail-local");
  order(3, "joe@h");
  EXPECT_EQ(report(), "3 ZUnable to run qmail-local.\n");
}

}  // namespace
}  // namespace postern::spawning

// qmail-rspawn, with scripts in the place of qmail-remote.
#include "spawn/remote_channel.h"

#include <csignal>
#include <thread>

#include "posix/files.h"
#include "unit/spawn/spawn_fixture.h"

namespace postern::spawning {
namespace {

using namespace std::string_literals;
using ::testing::UnorderedElementsAre;

// A qmail-remote of our own: named with all recipients of a message at a host.
class OwnRemoteSpawn : public Spawn {
 protected:
  void start_own(std::string_view script) {
    const std::string program = here_.path() + "/bin/remote";
    make_program("bin/remote", script);
    start([&] {
      return RemoteChannel(
          {.home = here_.path(), .program = program, .own_program = [=] { return program; }});
    });
  }
  // In one write, as qmail-send gives its orders.
  void order_all(const std::vector<wire::DeliveryOrder>& orders) {
    std::string bytes;
    for (const auto& order : orders) bytes += wire::format_order(order, number_bytes_);
    ASSERT_TRUE(write_all(orders_.get(), bytes));
  }
  std::vector<std::string> reports(std::size_t count) {
    std::vector<std::string> all;
    while (all.size() < count) all.push_back(report());
    std::ranges::sort(all);
    return all;
  }
};

// Each recipient's report names all that it was delivered with.
constexpr std::string_view naming_remote =
    "host=$1 sender=$2; shift 2\n"
    "for r; do case $r in bad*) printf 'hno\\0';; *) printf 'r\\0';; esac; done\n"
    "printf 'K%s %s %s\\0' $host $sender \"$*\"";

TEST_F(OwnRemoteSpawn, DeliversToTheRecipientsAtAHostTogether) {
  start_own(naming_remote);
  order_all({{1, "8/100", "s@h", "a@x"},
             {2, "8/100", "s@h", "b@y"},
             {3, "8/100", "s@h", "bad@x"},
             {4, "8/100", "s@h", "c@x"}});
  EXPECT_EQ(reports(4), (std::vector<std::string>{"1 Kx s@h a@x bad@x c@x", "2 Ky s@h b@y", "3 Dno",
                                                  "4 Kx s@h a@x bad@x c@x"}));
}

TEST_F(OwnRemoteSpawn, LooksForTheProgramOnceForOrdersThatComeTogether) {
  make_program("bin/remote", naming_remote);
  const std::string looks = here_.path() + "/looks";
  start([&] {
    return RemoteChannel({.home = here_.path(), .own_program = [=, home = here_.path()] {
                            std::ofstream(looks, std::ios::app) << "look\n";
                            return home + "/bin/remote";
                          }});
  });
  order_all({{1, "8/100", "s@h", "a@x"}, {2, "8/100", "s@h", "b@x"}, {3, "8/100", "s@h", "c@y"}});
  EXPECT_EQ(reports(3),
            (std::vector<std::string>{"1 Kx s@h a@x b@x", "2 Kx s@h a@x b@x", "3 Ky s@h c@y"}));
  EXPECT_EQ(read_file(looks, 100).value(), "look\n");
  order_all({{1, "8/100", "s@h", "a@x"}});
  EXPECT_EQ(report(), "1 Kx s@h a@x");
  EXPECT_EQ(read_file(looks, 100).value(), "look\nlook\n");
}

TEST_F(OwnRemoteSpawn, KeepsOtherMessagesSendersAndHostsApart) {
  std::ofstream("queue/mess/8/123") << "another message\n";
  start_own(naming_remote);
  order_all({{1, "8/100", "s@h", "a@x"},
             {2, "8/123", "s@h", "b@x"},
             {3, "8/100", "t@h", "c@x"},
             {4, "8/100", "s@h", "d@X"}});
  EXPECT_EQ(reports(4), (std::vector<std::string>{"1 Kx s@h a@x", "2 Kx s@h b@x", "3 Kx t@h c@x",
                                                  "4 KX s@h d@X"}));
}

TEST_F(OwnRemoteSpawn, FreesTheNumberOfEach) {
  start_own(naming_remote);
  for (int again = 0; again < 3; ++again) {
    order_all({{1, "8/100", "s@h", "a@x"}, {2, "8/100", "s@h", "b@x"}, {2, "8/100", "s@h", "c@x"}});
    EXPECT_EQ(reports(3),
              (std::vector<std::string>{"1 Kx s@h a@x b@x", "2 Kx s@h a@x b@x",
                                        "2 ZInternal error: delnum in use. (#4.3.5)\n"}));
  }
}

TEST_F(OwnRemoteSpawn, DefersAllWhenTheProgramCrashesOrSaysTooLittle) {
  start_own("case $3 in crash*) kill -9 $$;; esac; printf 'r\\0Kok\\0'");
  order_all({{1, "8/100", "s@h", "crash@x"}, {2, "8/100", "s@h", "b@x"}});
  EXPECT_EQ(reports(2),
            (std::vector<std::string>{"1 Zqmail-remote crashed.\n", "2 Zqmail-remote crashed.\n"}));
  order_all({{1, "8/100", "s@h", "a@x"}, {2, "8/100", "s@h", "b@x"}});
  EXPECT_EQ(reports(2),
            (std::vector<std::string>{"1 Zqmail-remote did not report on every recipient.\n",
                                      "2 Zqmail-remote did not report on every recipient.\n"}));
}

TEST_F(OwnRemoteSpawn, ReportsForAllThatTheMessageDoesNotOpen) {
  start_own(naming_remote);
  order_all({{1, "8/101", "s@h", "a@x"}, {2, "8/101", "s@h", "b@x"}});
  EXPECT_EQ(reports(2),
            (std::vector<std::string>{"1 Zqmail-spawn unable to open message. (#4.3.0)\n",
                                      "2 Zqmail-spawn unable to open message. (#4.3.0)\n"}));
}

// A qmail-remote that stays: says its process and its words each time.
constexpr std::string_view staying_qmail_remote = R"(
import os, socket, sys
spawn = socket.socket(fileno=int(os.environ["POSTERN_KEPT_WORKER"]))
words, message = sys.argv[1:], 0
while True:
    text = "%d %s %s" % (os.getpid(), " ".join(words), os.read(message, 100).decode())
    os.write(1, ("r\0" * (len(words) - 2) + "K" + text + "\0").encode())
    if words[1] == "leave": sys.exit(0)
    if words[1] == "crash": os.kill(os.getpid(), 9)
    os.close(message)
    spawn.send(b"\0")
    order, fds, _, _ = socket.recv_fds(spawn, 65536, 1)
    if not order: sys.exit(0)
    words, message = order.decode().split("\0")[:-1], fds[0]
)";

class RemoteWorkersThatStay : public OwnRemoteSpawn {
 protected:
  // Its clock stands: workers never go for their age.
  void start_staying(std::string_view script = staying_qmail_remote) {
    write_program(script);
    const std::string program = here_.path() + "/bin/remote";
    start([&] {
      return RemoteChannel({.home = here_.path(),
                            .program = program,
                            .own_program = [=] { return program; },
                            .now = [] { return KeptWorkers::Time(); }});
    });
  }
  static void write_program(std::string_view script = staying_qmail_remote) {
    std::filesystem::remove("bin/remote");
    std::ofstream("bin/remote") << "#!/usr/bin/python3\n" << script;
    std::filesystem::permissions("bin/remote", std::filesystem::perms{0755});
  }
  // The process that delivers, after which the report is `expected`.
  std::string deliver(const std::string& sender, const std::string& recipient,
                      const std::string& expected) {
    order_all({{3, "8/100", sender, recipient}});
    const std::string text = report().substr(3);
    const std::size_t blank = text.find(' ');
    EXPECT_EQ(text.substr(blank + 1), expected);
    return text.substr(0, blank);
  }
};

TEST_F(RemoteWorkersThatStay, DeliverTheNextMessageToTheSameHost) {
  start_staying();
  const std::string first = deliver("s", "a@x", "x s a@x the message\n");
  EXPECT_EQ(deliver("t", "b@x", "x t b@x the message\n"), first);
  EXPECT_NE(deliver("s", "a@y", "y s a@y the message\n"), first);
  order_all({{1, "8/100", "s", "a@x"}, {2, "8/100", "s", "b@x"}});
  EXPECT_EQ(reports(2), (std::vector<std::string>{"1 K" + first + " x s a@x b@x the message\n",
                                                  "2 K" + first + " x s a@x b@x the message\n"}));
}

TEST_F(RemoteWorkersThatStay, AreNotMissedWhenTheyEnd) {
  start_staying();
  const std::string first = deliver("leave", "a@x", "x leave a@x the message\n");
  const std::string second = deliver("s", "a@x", "x s a@x the message\n");
  EXPECT_NE(second, first);
  ::kill(std::stoi(second), SIGKILL);
  while (::kill(std::stoi(second), 0) == 0) std::this_thread::yield();
  EXPECT_NE(deliver("s", "a@x", "x s a@x the message\n"), second);
}

TEST_F(RemoteWorkersThatStay, CrashAsEver) {
  start_staying();
  deliver("s", "a@x", "x s a@x the message\n");
  order_all({{3, "8/100", "crash", "a@x"}});
  EXPECT_EQ(report(), "3 Zqmail-remote crashed.\n");
}

TEST_F(RemoteWorkersThatStay, GoWithTheirProgram) {
  start_staying();
  const std::string first = deliver("s", "a@x", "x s a@x the message\n");
  write_program();
  EXPECT_NE(deliver("s", "a@x", "x s a@x the message\n"), first);
}

// A qmail-remote that stays and never reaches a host whose name begins with "down". Each try says
// how many there have been.
constexpr std::string_view unsuccessful_qmail_remote = R"(
import os, socket, sys
spawn = socket.socket(fileno=int(os.environ["POSTERN_KEPT_WORKER"]))
words, message, tries = sys.argv[1:], 0, 0
while True:
    tries += 1
    down = words[0].startswith("down")
    os.write(1, b"%stry %d\0" % (b"Z" if down else b"r\0K", tries))
    os.close(message)
    spawn.send(b"\376" if down else b"\0")
    order, fds, _, _ = socket.recv_fds(spawn, 65536, 1)
    if not order: sys.exit(0)
    words, message = order.decode().split("\0")[:-1], fds[0]
)";

TEST_F(RemoteWorkersThatStay, NeedNotTryADeadHostForEachOfManyMessages) {
  start_staying(unsuccessful_qmail_remote);
  const auto try_host = [&](const std::string& host) {
    order_all({{3, "8/100", "s", "a@" + host}});
    return report();
  };
  for (unsigned i = 1; i <= DeadHosts::tries; ++i) {
    EXPECT_EQ(try_host("down"), "3 Ztry " + std::to_string(i));
  }
  // The clock stands.
  const std::string last = "Ztry " + std::to_string(DeadHosts::tries);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(try_host("down"), "3 " + last);
  order_all(
      {{1, "8/100", "s", "a@down"}, {2, "8/100", "s", "b@down"}, {3, "8/101", "s", "c@down"}});
  EXPECT_EQ(reports(3),
            (std::vector<std::string>{"1 " + last, "2 " + last,
                                      "3 Zqmail-spawn unable to open message. (#4.3.0)\n"}));
  EXPECT_EQ(try_host("down2"), "3 Ztry 1");
  for (unsigned i = 1; i <= DeadHosts::tries + 2; ++i) {
    EXPECT_EQ(try_host("up"), "3 Ktry " + std::to_string(i));
  }
}

TEST_F(RemoteWorkersThatStay, NeverSayOfOtherMessagesThatTheyAreDoneWith) {
  start_staying(R"(
import os, socket, sys
spawn = socket.socket(fileno=int(os.environ["POSTERN_KEPT_WORKER"]))
tries = 0
while True:
    tries += 1
    os.write(1, b"r\0Ktry %d\0" % tries)
    spawn.send(b"\376")
    if not socket.recv_fds(spawn, 65536, 1)[0]: sys.exit(0)
)");
  for (unsigned i = 1; i <= DeadHosts::tries + 2; ++i) {
    order_all({{3, "8/100", "s", "a@down"}});
    EXPECT_EQ(report(), "3 Ktry " + std::to_string(i));
  }
}

TEST_F(OwnRemoteSpawn, TakesTheWordForAnUnreachableHostFromWhoStaysAlone) {
  start_own("printf 'Zdown\\0'; exit 254");
  order_all({{3, "8/100", "s", "a@down"}});
  EXPECT_EQ(report(), "3 DUnable to run qmail-remote.\n");
}

TEST_F(Spawn, NamesOneRecipientAtATimeToAProgramThatIsNotOurs) {
  start_remote("printf 'r\\0K%s\\0' $#");
  ASSERT_TRUE(write_all(orders_.get(), wire::format_order({1, "8/100", "", "a@h"}, 1) +
                                           wire::format_order({2, "8/100", "", "b@h"}, 1)));
  const std::vector<std::string> reports = {report(), report()};
  EXPECT_THAT(reports, UnorderedElementsAre("1 K3", "2 K3"));
}

}  // namespace
}  // namespace postern::spawning

// The loop of the spawns over real pipes, with shell scripts in the place of qmail-local and
// qmail-remote.
#include "spawn/server.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <poll.h>
#include <pwd.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <csignal>
#include <deque>
#include <fstream>
#include <optional>
#include <thread>

#include "posix/files.h"
#include "posix/io.h"
#include "posix/pipe.h"
#include "spawn/assign.h"
#include "spawn/local_channel.h"
#include "spawn/remote_channel.h"
#include "support/temporary_directory.h"
#include "wire/report_reader.h"

namespace postern::spawning {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;
using ::testing::UnorderedElementsAre;

void make_program(const std::string& path, std::string_view script) {
  std::ofstream(path) << "#!/bin/sh\n" << script;
  std::filesystem::permissions(path, std::filesystem::perms{0755});
}

// A spawn in a process of its own, in queue/mess of a qmail home of its own.
class Spawn : public ::testing::Test {
 public:
  ~Spawn() override {
    if (pid_ > 0) (void)finish();
  }

 protected:
  Spawn() {
    std::filesystem::permissions(here_.path(), std::filesystem::perms{0755});
    for (const char* path : {"queue/mess/8", "queue/lock", "bin", "users"}) {
      std::filesystem::create_directories(path);
    }
    std::ofstream("queue/mess/8/100") << "the message\n";
  }

  template <class MakeChannel>
  void start(MakeChannel make_channel, std::size_t number_bytes = 1) {
    number_bytes_ = number_bytes;
    auto orders = make_pipe().value();
    auto reports = make_pipe().value();
    pid_ = ::fork();
    if (pid_ == 0) {
      orders.write.reset();
      reports.read.reset();
      std::filesystem::current_path("queue/mess");
      std::signal(SIGPIPE, SIG_IGN);
      auto channel = make_channel();
      ::_exit(Server({.orders = orders.read.get(),
                      .reports = reports.write.get(),
                      .number_bytes = number_bytes,
                      .limit = delivery_limit(number_bytes, 1024),
                      .message_owner = ::getuid()},
                     channel)
                  .run());
    }
    orders_ = std::move(orders.write);
    reports_ = std::move(reports.read);
    limit_ = take(number_bytes);
  }
  void start_remote(std::string_view script, std::size_t number_bytes = 1) {
    make_program("bin/remote", script);
    start(
        [&] {
          return RemoteChannel({.home = here_.path(), .program = here_.path() + "/bin/remote"});
        },
        number_bytes);
  }

  void order(unsigned number, const std::string& recipient, const std::string& message = "8/100") {
    ASSERT_TRUE(write_all(orders_.get(),
                          wire::format_order({number, message, "s@h", recipient}, number_bytes_)));
  }
  std::string take(std::size_t count) {
    while (received_.size() < count && receive()) {
    }
    std::string taken = received_.substr(0, count);
    received_.erase(0, taken.size());
    return taken;
  }
  // "3 Ktext" for the next report.
  std::string report() {
    if (!reader_) reader_.emplace(number_bytes_);
    while (waiting_.empty()) {
      for (auto& report : reader_->feed(std::exchange(received_, {}))) {
        waiting_.push_back(std::move(report));
      }
      if (waiting_.empty() && !receive()) return "no report";
    }
    const wire::DeliveryReport next = std::move(waiting_.front());
    waiting_.pop_front();
    return std::to_string(next.number) + " " + next.text;
  }
  // The exit code.
  int finish() {
    orders_.reset();
    while (receive()) {
    }
    int status = -1;
    ::waitpid(pid_, &status, 0);
    pid_ = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

  test::TemporaryDirectory here_;
  std::size_t number_bytes_ = 1;
  Fd orders_;
  Fd reports_;
  std::string received_;
  std::optional<wire::ReportReader> reader_;
  std::deque<wire::DeliveryReport> waiting_;
  std::string limit_;
  pid_t pid_ = 0;

 private:
  bool receive() {
    char chunk[4096];
    const auto count = read_some(reports_.get(), chunk, Deadline::after(20s));
    if (!count || *count == 0) return false;
    received_.append(chunk, *count);
    return true;
  }
};

TEST_F(Spawn, SaysFirstHowManyDeliveriesItTakes) {
  start_remote("");
  EXPECT_EQ(limit_, "\x78") << "120 of conf-spawn";
  EXPECT_EQ(finish(), 0);
}

TEST_F(Spawn, SaysSoInTwoBytesWithWideNumbers) {
  start_remote("", 2);
  EXPECT_EQ(limit_, "\x3d\x01"s) << "317 deliveries fit into 1024 descriptors";
}

TEST(DeliveryLimit, IsWhatTheNumbersAndTheDescriptorsAllow) {
  EXPECT_EQ(delivery_limit(1, 20), wire::spawn_limit);
  EXPECT_EQ(delivery_limit(2, 20), 1U);
  EXPECT_EQ(delivery_limit(2, 1 << 20), 65535U);
}

TEST_F(Spawn, GivesTheMessageAndTheAddressesToQmailRemote) {
  start_remote("printf 'r\\0K%s %s %s: ' \"$@\"; cat; printf '\\0'");
  order(0, "joe@a@example.org");
  EXPECT_EQ(report(), "0 Kexample.org s@h joe@a@example.org: the message\n");
  EXPECT_EQ(finish(), 0);
}

TEST_F(Spawn, RunsDeliveriesSideBySide) {
  // The first ends when the second has run.
  ASSERT_EQ(::mkfifo("fifo", 0600), 0);
  start_remote(
      "case $3 in first*) cat fifo >/dev/null;; *) echo >fifo;; esac\n"
      "printf 'r\\0Kok\\0'");
  order(7, "first@h");
  order(119, "second@h");
  const std::vector<std::string> reports = {report(), report()};
  EXPECT_THAT(reports, UnorderedElementsAre("7 Kok", "119 Kok"));
}

TEST_F(Spawn, NumbersDeliveriesInTwoBytes) {
  start_remote("printf 'r\\0Kok\\0'", 2);
  order(300, "a@h");
  EXPECT_EQ(report(), "300 Kok");
}

TEST_F(Spawn, RefusesWrongOrdersWithoutRunningAnything) {
  start_remote("printf 'r\\0Kok\\0'");
  order(120, "a@h");
  EXPECT_EQ(report(), "120 ZInternal error: delnum too big. (#4.3.5)\n");
  order(1, "a@h", "../x");
  EXPECT_EQ(report(), "1 DInternal error: messid has nonnumerics. (#5.3.5)\n");
  order(1, "a");
  EXPECT_EQ(report(), "1 DSorry, address must include host name. (#5.1.3)\n");
  order(1, "a@h", "8/101");
  EXPECT_EQ(report(), "1 Zqmail-spawn unable to open message. (#4.3.0)\n");
  order(1, "a@h");
  EXPECT_EQ(report(), "1 Kok");
}

TEST_F(Spawn, RefusesANumberThatIsInUse) {
  ASSERT_EQ(::mkfifo("fifo", 0600), 0);
  start_remote("cat fifo >/dev/null; printf 'r\\0Kok\\0'");
  order(1, "a@h");
  order(1, "b@h");
  EXPECT_EQ(report(), "1 ZInternal error: delnum in use. (#4.3.5)\n");
  std::ofstream("fifo") << "go";
  EXPECT_EQ(report(), "1 Kok");
}

TEST_F(Spawn, TakesOrdersInAnyPieces) {
  start_remote("printf 'r\\0Kok\\0'");
  const std::string two = wire::format_order({1, "8/100", "", "a@h"}, 1) +
                          wire::format_order({2, "8/100", "", "b@h"}, 1);
  for (const char c : two) ASSERT_TRUE(write_all(orders_.get(), {&c, 1}));
  const std::vector<std::string> reports = {report(), report()};
  EXPECT_THAT(reports, UnorderedElementsAre("1 Kok", "2 Kok"));
}

TEST_F(Spawn, FinishesWhatRunsWhenTheOrdersEnd) {
  ASSERT_EQ(::mkfifo("fifo", 0600), 0);
  start_remote("cat fifo >/dev/null; printf 'r\\0Kok\\0'");
  order(5, "a@h");
  orders_.reset();
  std::ofstream("fifo") << "go";
  EXPECT_EQ(report(), "5 Kok");
  EXPECT_EQ(finish(), 0);
}

TEST_F(Spawn, WaitsForProcessesThatKeepTheOutputOpen) {
  ASSERT_EQ(::mkfifo("fifo", 0600), 0);
  start_remote("(cat fifo; printf 'Kfrom the background\\0') & printf 'r\\0'");
  order(5, "a@h");
  std::ofstream("fifo") << "";
  EXPECT_EQ(report(), "5 Kfrom the background");
}

TEST_F(Spawn, WaitsForAProcessThatHasClosedItsOutput) {
  ASSERT_EQ(::mkfifo("fifo", 0600), 0);
  start_remote("printf 'r\\0Kok\\0'; exec >/dev/null 2>&1; cat fifo; exit 111");
  order(5, "a@h");
  std::ofstream("fifo") << "go";
  EXPECT_EQ(report(), "5 ZUnable to run qmail-remote.\n");
}

TEST_F(Spawn, DefersWhenTheProgramCannotBeRun) {
  start([&] { return RemoteChannel({.home = here_.path(), .program = "no-such-program"}); });
  order(5, "a@h");
  EXPECT_EQ(report(), "5 ZUnable to run qmail-remote.\n");
}

TEST_F(Spawn, DoesNotBlockOnAQmailSendThatIsSlowToRead) {
  // 65536 bytes fit into the pipe; these are more, and all have been ordered before one is read.
  start_remote("printf 'r\\0K'; head -c 9000 /dev/zero | tr '\\0' x; printf '\\0'");
  for (unsigned number = 0; number < 20; ++number) order(number, "a@h");
  for (unsigned number = 0; number < 20; ++number) EXPECT_GT(report().size(), 9000U);
}

TEST_F(Spawn, KeepsABoundedPartOfEndlessOutput) {
  start_remote("head -c 3000000 /dev/zero");
  order(1, "a@h");
  EXPECT_EQ(report(), "1 Zqmail-remote produced too much output.\n");
}

TEST_F(Spawn, EndsQuietlyWhenQmailSendHasGone) {
  start_remote("printf 'r\\0Kok\\0'");
  order(1, "a@h");
  reports_.reset(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  EXPECT_EQ(finish(), 0);
}

TEST_F(Spawn, EndsWhenItsReportsGoNowhere) {
  start_remote("printf 'r\\0Kok\\0'");
  reports_.reset(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  order(1, "a@h");
  pollfd its_end_of_orders{orders_.get(), 0, 0};
  ASSERT_EQ(::poll(&its_end_of_orders, 1, 20000), 1);
  EXPECT_TRUE(its_end_of_orders.revents & POLLERR);
}

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
  void start_staying() {
    write_program();
    const std::string program = here_.path() + "/bin/remote";
    start([&] {
      return RemoteChannel(
          {.home = here_.path(), .program = program, .own_program = [=] { return program; }});
    });
  }
  static void write_program() {
    std::filesystem::remove("bin/remote");
    std::ofstream("bin/remote") << "#!/usr/bin/python3\n" << staying_qmail_remote;
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

TEST_F(Spawn, NamesOneRecipientAtATimeToAProgramThatIsNotOurs) {
  start_remote("printf 'r\\0K%s\\0' $#");
  ASSERT_TRUE(write_all(orders_.get(), wire::format_order({1, "8/100", "", "a@h"}, 1) +
                                           wire::format_order({2, "8/100", "", "b@h"}, 1)));
  const std::vector<std::string> reports = {report(), report()};
  EXPECT_THAT(reports, UnorderedElementsAre("1 K3", "2 K3"));
}

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

// A qmail-getpw that stays: its answer's extension says its process and the address, and whether
// the address has come as an order. Of "crash" it is killed, of "fail" it exits 118, of "cut" its
// answer is not whole, of "flood" there is too much of it; of "hang" it answers when somebody
// writes to the fifo.
constexpr std::string_view staying_qmail_getpw = R"(
import os, signal, socket, sys
kept = os.environ.get("POSTERN_KEPT_WORKER")
spawn = kept and socket.socket(fileno=int(kept))
local, how = sys.argv[1], "first"
while True:
    if local == "crash": os.kill(os.getpid(), signal.SIGKILL)
    if local == "fail": sys.exit(118)
    if local == "hang": open("fifo").read()
    rest = "x" * 5000 if local == "flood" else local
    answer = f"joe\0001234\0002345\0/h\0-\0{os.getpid()} {how} {rest}\0".encode()
    os.write(1, answer[:12] if local == "cut" else answer)
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

TEST_F(LocalSpawn, DefersWhenQmailLocalCannotBeRun) {
  assign("+:joe:1234:2345:/home/joe:-::\n");
  start_local("");
  std::filesystem::remove("bin/qmail-local");
  order(3, "joe@h");
  EXPECT_EQ(report(), "3 ZUnable to run qmail-local.\n");
}

}  // namespace
}  // namespace postern::spawning

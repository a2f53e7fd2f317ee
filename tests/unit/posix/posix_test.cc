#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <algorithm>
#include <csignal>
#include <thread>

#include "posix/environment.h"
#include "posix/files.h"
#include "posix/identity.h"
#include "posix/io.h"
#include "posix/lock.h"
#include "posix/pipe.h"
#include "posix/signals.h"
#include "posix/spawn.h"
#include "support/temporary_directory.h"

namespace postern {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;

Pipe test_pipe() {
  auto pipe = make_pipe();
  if (!pipe) bug("no pipe");
  return std::move(*pipe);
}

std::string output_of(SpawnSpec spec) {
  Pipe pipe = test_pipe();
  spec.fds.push_back({pipe.write.get(), 1});
  auto child = spawn(spec);
  pipe.write.reset();
  if (!child) return describe(child.error());
  auto text = read_to_end(pipe.read.get(), 100000);
  (void)child->wait();
  return text.value_or("unreadable");
}

TEST(Fd, ClosesWhenItGoesAndMovesItsDuty) {
  Pipe pipe = test_pipe();
  const int number = pipe.read.get();
  {
    const Fd moved = std::move(pipe.read);
    EXPECT_FALSE(pipe.read);
    EXPECT_EQ(::fcntl(number, F_GETFD), FD_CLOEXEC);
  }
  EXPECT_EQ(::fcntl(number, F_GETFD), -1);
}

TEST(ReadSome, GivesUpAtItsDeadline) {
  const Pipe pipe = test_pipe();
  char byte = 0;
  const auto count = read_some(pipe.read.get(), {&byte, 1}, Deadline::after(10ms));
  ASSERT_FALSE(count);
  EXPECT_EQ(count.error().code, ETIMEDOUT);
}

TEST(ReadFull, ReadsOnWhereAReadWasShort) {
  auto pipe = make_pipe();
  ASSERT_TRUE(pipe);
  char buffer[6];
  std::thread writer([&] {
    for (const std::string_view piece : {"a", "bcd", "ef", "g"}) {
      EXPECT_TRUE(write_all(pipe->write.get(), piece));
      for (int unread = 1; unread > 0; std::this_thread::yield()) {  // so that each read is short
        ASSERT_EQ(::ioctl(pipe->read.get(), FIONREAD, &unread), 0);
      }
    }
    pipe->write.reset();
  });
  EXPECT_EQ(read_full(pipe->read.get(), buffer).value_or(0), 6U);
  EXPECT_EQ(std::string_view(buffer, 6), "abcdef");
  EXPECT_EQ(read_full(pipe->read.get(), buffer).value_or(9), 1U);
  EXPECT_EQ(read_full(pipe->read.get(), buffer).value_or(9), 0U);
  writer.join();
}

TEST(WriteAll, GivesUpAtItsDeadlineOnAFullPipeAndOnAFullSocket) {
  const Pipe pipe = test_pipe();
  const auto written =
      write_all(pipe.write.get(), std::string(10 << 20, 'x'), Deadline::after(10ms));
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, ETIMEDOUT);

  int sockets[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, sockets), 0);
  const Fd ours(sockets[0]);
  const Fd theirs(sockets[1]);
  const auto sent = write_all(ours.get(), std::string(10 << 20, 'x'), Deadline::after(10ms));
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error().code, ETIMEDOUT);
}

TEST(WriteAll, ContinuesShortWrites) {
  const Pipe pipe = test_pipe();
  const std::string bytes(1 << 20, 'x');
  std::string got;
  std::jthread reader([&] {
    char chunk[999];
    while (got.size() < bytes.size()) {
      const auto count = read_some(pipe.read.get(), chunk);
      if (!count || *count == 0) return;
      got.append(chunk, *count);
    }
  });
  EXPECT_TRUE(write_all(pipe.write.get(), bytes, Deadline::after(10s)));
  reader.join();
  EXPECT_EQ(got, bytes);
}

TEST(ReadToEnd, RefusesMoreThanItsLimit) {
  for (const std::size_t limit : {4U, 5U}) {
    Pipe pipe = test_pipe();
    ASSERT_TRUE(write_all(pipe.write.get(), "12345"));
    pipe.write.reset();
    EXPECT_EQ(read_to_end(pipe.read.get(), limit).has_value(), limit == 5);
  }
}

TEST(BufferedInput, SplitsLinesHoweverTheyArrive) {
  Pipe pipe = test_pipe();
  ASSERT_TRUE(write_all(pipe.write.get(), "one\r\n\nthree\nlast"));
  pipe.write.reset();
  BufferedInput input(pipe.read.get(), -1ms, 4);
  std::string line;
  EXPECT_EQ(input.read_line(line, 100), BufferedInput::Line::whole);
  EXPECT_EQ(line, "one\r");
  EXPECT_EQ(input.read_line(line, 100), BufferedInput::Line::whole);
  EXPECT_EQ(line, "");
  EXPECT_EQ(input.read_line(line, 3), BufferedInput::Line::too_long);
  EXPECT_EQ(line, "thr");
  EXPECT_EQ(input.read_line(line, 100), BufferedInput::Line::end_of_file);
  EXPECT_EQ(line, "last");
}

TEST(BufferedInput, NeverCutsALastLineInSilence) {
  for (const std::size_t most : {3U, 4U}) {
    Pipe pipe = test_pipe();
    ASSERT_TRUE(write_all(pipe.write.get(), "last"));
    pipe.write.reset();
    BufferedInput input(pipe.read.get(), -1ms, 2);
    std::string line;
    EXPECT_EQ(input.read_line(line, most),
              most == 4 ? BufferedInput::Line::end_of_file : BufferedInput::Line::too_long);
    EXPECT_EQ(line, std::string("last").substr(0, most));
    EXPECT_EQ(input.read_line(line, most), BufferedInput::Line::end_of_file);
    EXPECT_EQ(line, "");
  }
}

TEST(ReplaceFile, LeavesTheOldFileWhenItCannotWrite) {
  const test::TemporaryDirectory directory;
  ASSERT_TRUE(replace_file("a", "a.tmp", "old", 0600));
  EXPECT_FALSE(replace_file("a", "no/such/a.tmp", "new", 0600));
  EXPECT_EQ(read_file("a", 100), "old");
  ASSERT_TRUE(replace_file("a", "a.tmp", "new", 0640));
  EXPECT_EQ(read_file("a", 100), "new");
  EXPECT_EQ(stat_file("a")->st_mode & 0777U, 0640U);
  EXPECT_EQ(stat_file("a.tmp").error().code, ENOENT);
}

TEST(RemoveFile, IsContentWithAFileThatIsGone) {
  const test::TemporaryDirectory directory;
  EXPECT_TRUE(remove_file("absent"));
  EXPECT_FALSE(unlink_file("absent"));
}

TEST(StartWritingOut, TakesFilesAndDirectoriesAndSaysWhatItCannotDo) {
  const test::TemporaryDirectory here;
  EXPECT_TRUE(start_writing_out(create_new_file("file", 0600)->get(), "file"));
  EXPECT_TRUE(start_writing_out(open_file(".", O_RDONLY | O_DIRECTORY)->get(), "."));
  const auto refused = start_writing_out(test_pipe().read.get(), "it");
  ASSERT_FALSE(refused);
  EXPECT_EQ(describe(refused.error()), "unable to write out it: Illegal seek");
  EXPECT_FALSE(write_out(test_pipe().read.get(), "it"));
}

TEST(CreateNewFile, NeverTakesAFileThatIsThere) {
  const test::TemporaryDirectory directory;
  ASSERT_TRUE(create_new_file("a", 0600));
  EXPECT_EQ(create_new_file("a", 0600).error().code, EEXIST);
}

TEST(Lock, IsHeldAgainstOthersUntilItsDeadline) {
  const test::TemporaryDirectory directory;
  const auto ours = create_new_file("lock", 0600);
  const auto theirs = open_file("lock", O_WRONLY);
  ASSERT_TRUE(ours && theirs);
  ASSERT_TRUE(try_lock(ours->get()));
  EXPECT_EQ(try_lock(theirs->get()).error().code, EWOULDBLOCK);
  EXPECT_EQ(lock(theirs->get(), Deadline::after(30ms)).error().code, ETIMEDOUT);
}

TEST(Spawn, GivesTheChildItsDescriptorsDirectoryAndEnvironment) {
  EXPECT_EQ(output_of({.argv = {"/bin/sh", "-c", "pwd; echo $X; cat <&7"},
                       .environment = std::vector<std::string>{"X=y", "PATH=/bin:/usr/bin"},
                       .fds = {{Fd(::open("/dev/null", O_RDONLY)).release(), 7}},
                       .directory = "/usr"}),
            "/usr\ny\n");
}

TEST(Spawn, SwapsDescriptorsThatStandInEachOthersPlace) {
  Pipe a = test_pipe();
  Pipe b = test_pipe();
  ASSERT_TRUE(write_all(a.write.get(), "from a\n"));
  ASSERT_TRUE(write_all(b.write.get(), "from b\n"));
  const int low = std::min(a.read.get(), b.read.get());
  const int high = std::max(a.read.get(), b.read.get());
  const std::string lines =
      output_of({.argv = {"/bin/sh", "-c",
                          "read l <&" + std::to_string(low) + "; echo $l; read l <&" +
                              std::to_string(high) + "; echo $l"},
                 .fds = {{low, high}, {high, low}}});
  EXPECT_EQ(lines, a.read.get() == low ? "from b\nfrom a\n" : "from a\nfrom b\n");
}

TEST(Spawn, ReportsAFailedExecWithItsErrno) {
  auto absent = spawn({.argv = {"/no/such/program"}});
  ASSERT_FALSE(absent);
  EXPECT_EQ(describe(absent.error()), "unable to run /no/such/program: No such file or directory");
  EXPECT_EQ(spawn({.argv = {"/etc/passwd"}}).error().code, EACCES);
  EXPECT_EQ(spawn({.argv = {"sh"}, .directory = "/no/such"}).error().what,
            "unable to switch to /no/such");
  EXPECT_EQ(spawn({.argv = {"postern-no-such-program"}, .search_path = true}).error().code, ENOENT);
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1) << "a failed child was left behind";
}

TEST(Spawn, RefusesToBecomeRoot) {
  const auto child = spawn({.argv = {"/bin/true"}, .identity = Identity{}});
  ASSERT_FALSE(child);
  EXPECT_EQ(child.error().code, EPERM);
}

TEST(Spawn, RefusesIdsThatMeanNoChange) {
  constexpr auto no_change = static_cast<uid_t>(-1);
  for (const auto& [uid, gid] : {std::pair{no_change, 1000U}, std::pair{1000U, no_change}}) {
    const auto child = spawn({.argv = {"/bin/true"}, .identity = Identity{uid, gid, {}}});
    ASSERT_FALSE(child);
    EXPECT_EQ(child.error().code, EPERM);
  }
}

TEST(Spawn, GivesUpEveryPrivilege) {
  ASSERT_EQ(::getuid(), 0U) << "run the tests as root";
  EXPECT_EQ(output_of({.argv = {"/bin/sh", "-c", "id -u; id -g; id -G"},
                       .identity = Identity{65534, 65533, {}}}),
            "65534\n65533\n65533\n");
}

TEST(Child, TellsACrashFromAnExitCode) {
  auto crashed = spawn({.argv = {"/bin/sh", "-c", "kill -9 $$"}});
  ASSERT_TRUE(crashed);
  EXPECT_TRUE(crashed->wait()->crashed());
  auto ended = spawn({.argv = {"/bin/sh", "-c", "exit 99"}});
  ASSERT_TRUE(ended);
  const auto status = ended->wait();
  EXPECT_FALSE(status->crashed());
  EXPECT_EQ(status->code(), 99);
}

TEST(FindLocalUser, ReadsThePasswordFilesOwnForm) {
  constexpr std::string_view passwd =
      "root:x:0:0:root:/root:/bin/bash\nqmailq2:x:1:2:::\nqmailq:x:7:8::/:/bin/sh\nbad:x:no:1::\n";
  EXPECT_EQ(find_local_user(passwd, "qmailq")->uid, 7U);
  EXPECT_EQ(find_local_user(passwd, "qmailq")->gid, 8U);
  EXPECT_EQ(find_local_user(passwd, "qmail").error().what, "no user qmail in /etc/passwd");
  EXPECT_FALSE(find_local_user(passwd, "bad"));
  EXPECT_EQ(find_local_name(passwd, 7), "qmailq");
  EXPECT_EQ(find_local_name(passwd, 4711).error().what, "no user with uid 4711 in /etc/passwd");
  EXPECT_FALSE(find_local_name(":x:9:9::/:\nshort:x\n", 9));
  EXPECT_EQ(find_local_group("nofiles:x:12:\n", "nofiles"), 12U);
  EXPECT_FALSE(find_local_group("nofiles:x:12:\n", "files"));
}

TEST(Environment, CanBeChangedWithoutTouchingOurs) {
  set_environment_variable("POSTERN_TEST", "1");
  auto copy = current_environment();
  set_in(copy, "POSTERN_TEST", "2");
  set_in(copy, "POSTERN_OTHER", "");
  EXPECT_EQ(std::ranges::count(copy, "POSTERN_TEST=2"s), 1);
  EXPECT_EQ(std::ranges::count(copy, "POSTERN_TEST=1"s), 0);
  EXPECT_EQ(std::ranges::count(copy, "POSTERN_OTHER="s), 1);
  EXPECT_EQ(environment_variable("POSTERN_TEST"), "1");
  unset_environment_variable("POSTERN_TEST");
  EXPECT_EQ(environment_variable("POSTERN_TEST"), std::nullopt);
}

TEST(SignalFd, TurnsSignalsIntoSomethingToRead) {
  auto signals = SignalFd::watch({SIGUSR1});
  ASSERT_TRUE(signals);
  EXPECT_TRUE(signals->take().empty());
  ::raise(SIGUSR1);
  EXPECT_TRUE(wait_for(signals->fd(), 1, Deadline::after(1s)));
  EXPECT_EQ(signals->take(), std::vector<int>{SIGUSR1});
}

}  // namespace
}  // namespace postern

#include "queue/enqueue.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <functional>
#include <vector>

#include "posix/lock.h"
#include "posix/pipe.h"
#include "unit/queue/queue_fixture.h"
#include "wire/envelope.h"

namespace postern::queue {
namespace {

using namespace std::string_literals;
using wire::QueueExit;

constexpr std::int64_t now = 1028301386;
const std::string trace = "Received: (qmail 4711 invoked by uid 1000); 2 Aug 2002 15:16:26 -0000\n";
const std::string envelope = "Fa@x\0Tb@y\0Tc@z\0\0"s;
const std::string todo_text = "u1000\0p4711\0Fa@x\0Tb@y\0Tc@z\0"s;

// Notes every sync, may fail one, and may look at the queue before each; and may arrange the queue
// when a message's number is known and not yet used.
class WatchedDisk : public Disk {
 public:
  Result<wire::MessageId> number(int fd) override {
    const auto id = Disk::number(fd);
    if (id) arrange(*id);
    return id;
  }
  Status sync(std::span<const OpenFile> files) override {
    std::string failed;
    for (const auto& file : files) {
      struct stat info{};
      ::fstat(file.fd, &info);
      const std::string kind = file.path.substr(0, file.path.find('/'));
      const std::string what = S_ISDIR(info.st_mode) ? "names in " + kind : kind;
      look(what);
      synced.push_back(what);
      if (what == fails) failed = what;
    }
    const Status done = Disk::sync(files);
    return failed.empty() ? done : failure("unable to sync " + failed, EIO);
  }
  std::vector<std::string> synced;
  std::string fails;
  std::function<void(const std::string&)> look = [](const std::string&) {};
  std::function<void(wire::MessageId)> arrange = [](wire::MessageId) {};
};

class Enqueue : public ::testing::Test {
 protected:
  std::expected<void, Refusal> take(int message, int envelope_fd) {
    const Submission submission{.message_fd = message,
                                .envelope_fd = envelope_fd,
                                .pid = 4711,
                                .uid = 1000,
                                .invoker = "by uid 1000",
                                .now = now};
    return enqueue(submission, disk_);
  }
  std::expected<void, Refusal> take(const std::string& message, const std::string& addresses) {
    const Fd text = input_with(message);
    const Fd names = input_with(addresses);
    return take(text.get(), names.get());
  }
  // Refused with this code, and nothing is left that was not there before.
  void expect_refusal(const std::expected<void, Refusal>& result, QueueExit code,
                      const std::map<std::string, std::string>& left = {}) {
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, code);
    EXPECT_EQ(QueueDirectory::files(), left);
  }

  QueueDirectory queue_;
  WatchedDisk disk_;
};

TEST_F(Enqueue, LeavesTheTextInMessAndTheEnvelopeInIntdAndTodo) {
  ASSERT_TRUE(take("Subject: x\n\nhi\n", envelope));
  const auto files = QueueDirectory::files();
  ASSERT_EQ(files.size(), 3U);
  const auto id = wire::parse_message_id(files.rbegin()->first.substr(5)).value();
  EXPECT_EQ(files.at(wire::mess_path(id)), trace + "Subject: x\n\nhi\n");
  EXPECT_EQ(files.at(wire::intd_path(id)), todo_text);
  EXPECT_EQ(files.at(wire::todo_path(id)), todo_text);
  const auto mess = stat_file(wire::mess_path(id)).value();
  EXPECT_EQ(mess.st_ino, id);
  EXPECT_EQ(mess.st_nlink, 1U);
  EXPECT_EQ(stat_file(wire::todo_path(id))->st_ino, stat_file(wire::intd_path(id))->st_ino);
}

TEST_F(Enqueue, SyncsBothFilesAndTheNameOfTheMessageBeforeTheLinkAndItsNameBeforeSuccess) {
  bool linked_too_early = false;
  disk_.look = [&](const std::string& what) {
    if (what != "names in todo") linked_too_early |= !std::filesystem::is_empty("todo");
  };
  ASSERT_TRUE(take("x\n", envelope));
  EXPECT_FALSE(linked_too_early);
  EXPECT_EQ(disk_.synced,
            (std::vector<std::string>{"mess", "intd", "names in mess", "names in todo"}));
}

TEST(Disk, SyncsAllAndTellsTheFirstThatFails) {
  const Fd file(::open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  Disk disk;
  const OpenFile good[] = {{file.get(), "a"}, {file.get(), "b"}, {file.get(), "c"}};
  EXPECT_TRUE(disk.sync(good));
  const Fd pipe = std::move(make_pipe()->read);  // a pipe cannot be synced
  const OpenFile bad[] = {{file.get(), "a"}, {pipe.get(), "b"}, {pipe.get(), "c"}};
  const auto synced = disk.sync(bad);
  ASSERT_FALSE(synced);
  EXPECT_EQ(describe(synced.error()), "unable to sync b: Invalid argument");
}

TEST_F(Enqueue, PullsTheTriggerOnlyWhenTheMessageIsSafe) {
  ASSERT_EQ(::mkfifo(wire::lock_trigger, 0600), 0);
  const Fd reader = open_file(wire::lock_trigger, O_RDONLY | O_NONBLOCK).value();
  char byte = 'x';
  bool pulled_too_early = false;
  disk_.look = [&](const std::string&) { pulled_too_early |= ::read(reader.get(), &byte, 1) == 1; };
  ASSERT_TRUE(take("x\n", envelope));
  EXPECT_FALSE(pulled_too_early);
  EXPECT_EQ(::read(reader.get(), &byte, 1), 1);
  EXPECT_EQ(byte, '\0');
}

TEST_F(Enqueue, ThrowsTheMessageAwayWhenASyncBeforeTheLinkFails) {
  for (const char* which : {"mess", "intd", "names in mess"}) {
    disk_.fails = which;
    disk_.synced.clear();
    expect_refusal(take("x\n", envelope), QueueExit::write_error);
    EXPECT_EQ(disk_.synced.size(), 3U) << "a sync that failed must not be tried again";
  }
}

// qmail-send takes nothing for debris that is locked.
TEST_F(Enqueue, HoldsALockOnTheTextFromItsFirstNameToTheEnd) {
  wire::MessageId id = 0;
  int locked = 0;
  const auto look = [&](const std::string& path) {
    const auto tried = try_lock(open_for_reading(path).value().get());
    if (!tried && tried.error().code == EWOULDBLOCK) ++locked;
  };
  disk_.arrange = [&](wire::MessageId number) {
    id = number;
    for (const auto& entry : std::filesystem::directory_iterator("pid")) look(entry.path());
  };
  disk_.look = [&](const std::string&) { look(wire::mess_path(id)); };
  ASSERT_TRUE(take("x\n", envelope));
  EXPECT_EQ(locked, 1 + 4) << "with the first name, and before each sync";
  look(wire::mess_path(id));
  EXPECT_EQ(locked, 1 + 4) << "still locked at the end";
}

TEST_F(Enqueue, TakesTodoBackButLeavesTheTextWhenTheLastSyncFails) {
  disk_.fails = "names in todo";
  const auto result = take("x\n", envelope);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, QueueExit::write_error);
  const auto files = QueueDirectory::files();
  ASSERT_EQ(files.size(), 2U);  // debris, unless qmail-send has read todo/N in between
  EXPECT_TRUE(files.begin()->first.starts_with("intd/"));
  EXPECT_TRUE(files.rbegin()->first.starts_with("mess/"));
}

TEST_F(Enqueue, LeavesAMessageThatQmailSendHasTakenMeanwhileAlone) {
  disk_.fails = "names in todo";
  disk_.look = [](const std::string& what) {
    if (what != "names in todo") return;
    std::filesystem::remove_all("todo");
    std::filesystem::create_directory("todo");
  };
  ASSERT_FALSE(take("x\n", envelope));
  EXPECT_TRUE(QueueDirectory::files().rbegin()->first.starts_with("mess/"));
}

TEST_F(Enqueue, TakesAnEnvelopeWithoutRecipients) {
  ASSERT_TRUE(take("", "F\0\0"s));
  EXPECT_EQ(QueueDirectory::files().rbegin()->second, "u1000\0p4711\0F\0"s);
}

TEST_F(Enqueue, TakesTextOfAnySizeWhole) {
  for (const std::size_t size : {65465U, 65466U, 65467U, 65536U, 131072U, 3000000U}) {
    const std::string text(size, 'x');
    ASSERT_TRUE(take(text, envelope));
    auto files = QueueDirectory::files();
    const auto mess = std::ranges::find_if(
        files, [](const auto& file) { return file.first.starts_with("mess/"); });
    EXPECT_EQ(mess->second, trace + text);
    for (const auto& [path, content] : files) std::filesystem::remove(path);
  }
}

TEST_F(Enqueue, TakesManyRecipientsWhole) {
  std::string names = "Fa@x\0"s;
  for (int i = 0; i < 20000; ++i) names += "Tuser" + std::to_string(i) + "@y\0"s;
  ASSERT_TRUE(take("x\n", names + "\0"s));
  EXPECT_EQ(QueueDirectory::files().rbegin()->second, "u1000\0p4711\0"s + names);
}

TEST_F(Enqueue, ReadsTheMessageToItsEndBeforeTheEnvelope) {
  // The caller writes the envelope only once it has seen the whole message taken.
  auto message = make_pipe().value();
  auto names = make_pipe().value();
  ASSERT_EQ(::write(message.write.get(), "x\n", 2), 2);
  message.write.reset();
  ASSERT_EQ(::write(names.write.get(), envelope.data(), envelope.size()),
            static_cast<ssize_t>(envelope.size()));
  // Its end stays open: the final NUL ends the envelope.
  EXPECT_TRUE(take(message.read.get(), names.read.get()));
}

TEST_F(Enqueue, RefusesAnEnvelopeCutShortAnywhere) {
  for (std::size_t length = 0; length < envelope.size(); ++length) {
    expect_refusal(take("x\n", envelope.substr(0, length)), QueueExit::read_error);
  }
}

TEST_F(Enqueue, RefusesRecordsThatAreNoAddresses) {
  for (const std::string& names : {"Ta@x\0"s, "Fa@x\0Xb@y\0\0"s, "\0"s}) {
    expect_refusal(take("x\n", names), QueueExit::bad_envelope);
  }
}

TEST_F(Enqueue, RefusesAnAddressOfMoreThan1002Bytes) {
  expect_refusal(take("x\n", "F" + std::string(1003, 'a') + "\0\0"s), QueueExit::address_too_long);
  expect_refusal(take("x\n", "Fa@x\0T"s + std::string(100000, 'a')), QueueExit::address_too_long);
}

TEST_F(Enqueue, RefusesDescriptorsThatCannotBeRead) {
  const Fd names = input_with(envelope);
  const Fd directory = open_file(".", O_RDONLY).value();
  expect_refusal(take(directory.get(), names.get()), QueueExit::read_error);
  const Fd message = input_with("x\n");
  expect_refusal(take(message.get(), directory.get()), QueueExit::read_error);
}

TEST_F(Enqueue, SaysWhichDirectoryIsInTheWay) {
  struct Case {
    const char* directory;
    QueueExit code;
  };
  for (const auto& [directory, code] :
       {Case{"pid", QueueExit::pid_file_trouble}, Case{"mess", QueueExit::mess_file_trouble},
        Case{"intd", QueueExit::intd_file_trouble}, Case{"todo", QueueExit::todo_file_trouble}}) {
    std::filesystem::rename(directory, "away");
    expect_refusal(take("x\n", envelope), code);
    std::filesystem::rename("away", directory);
  }
}

TEST_F(Enqueue, TriesNinePidNamesAndNoMore) {
  for (int i = 1; i <= 8; ++i) put_file("pid/4711.1028301386." + std::to_string(i));
  EXPECT_TRUE(take("x\n", envelope));
  put_file("pid/4711.1028301386.9");
  const auto result = take("x\n", envelope);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, QueueExit::pid_file_trouble);
}

TEST_F(Enqueue, RemovesWhatAnEarlierMessageOfItsNumberHasLeft) {
  put_file("stale", "u1\0p1\0Fold@x\0Told@y\0"s);
  wire::MessageId number = 0;
  disk_.arrange = [&](wire::MessageId id) {
    number = id;
    ASSERT_TRUE(link_file("stale", wire::intd_path(id)) && link_file("stale", wire::todo_path(id)));
  };
  ASSERT_TRUE(take("x\n", envelope));
  EXPECT_EQ(stat_file(wire::mess_path(number)).value().st_ino, number);
  EXPECT_EQ(read_file(wire::intd_path(number), 1000).value(), todo_text);
  EXPECT_EQ(read_file(wire::todo_path(number), 1000).value(), todo_text);
}

TEST_F(Enqueue, DoesNotTouchAMessageThatHasItsNumberForAName) {
  // A queue restored from a backup: names and inode numbers no longer agree.
  put_file("restored", "text");
  put_file("envelope", "envelope");
  std::map<std::string, std::string> left = QueueDirectory::files();
  disk_.arrange = [&](wire::MessageId id) {
    ASSERT_TRUE(link_file("restored", wire::mess_path(id)));
    ASSERT_TRUE(link_file("envelope", wire::todo_path(id)));
    left[wire::mess_path(id)] = "text";
    left[wire::todo_path(id)] = "envelope";
  };
  const auto result = take("x\n", envelope);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, QueueExit::mess_file_trouble);
  EXPECT_EQ(QueueDirectory::files(), left);
}

}  // namespace
}  // namespace postern::queue

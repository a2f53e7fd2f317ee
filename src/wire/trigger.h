// lock/trigger: the FIFO by which qmail-queue wakes qmail-send. Described in docs/wire/trigger.md.
#pragma once

#include "base/error.h"
#include "posix/fd.h"

namespace postern::wire {

/// Wakes qmail-send if it is running. Failures do not matter: todo is scanned from time to time.
/// The current directory is HOME/queue.
void pull_trigger();

/// qmail-send's end. The FIFO is readable (data, or the end of file after a writer has closed) when
/// it has been pulled; rearm() opens it afresh and must come before the scan of todo, so that
/// a pull during the scan is not missed.
class TriggerReader {
 public:
  /// Error: the FIFO cannot be opened. The current directory is HOME/queue.
  Status rearm();
  [[nodiscard]] int fd() const { return fd_.get(); }

 private:
  Fd fd_;
};

}  // namespace postern::wire

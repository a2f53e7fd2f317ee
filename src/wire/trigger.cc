#include "wire/trigger.h"

#include <fcntl.h>

#include "posix/files.h"
#include "posix/io.h"
#include "wire/queue_names.h"

namespace postern::wire {

void pull_trigger() {
  // Non-blocking: with no reader the open fails at once, with a full FIFO the write does.
  const auto fd = open_file(lock_trigger, O_WRONLY | O_NONBLOCK);
  if (!fd) return;
  const char byte = '\0';
  [[maybe_unused]] const auto written = ::write(fd->get(), &byte, 1);
}

Status TriggerReader::rearm() {
  fd_.reset();
  auto fd = open_file(lock_trigger, O_RDONLY | O_NONBLOCK);
  if (!fd) return std::unexpected(fd.error());
  fd_ = std::move(*fd);
  return {};
}

}  // namespace postern::wire

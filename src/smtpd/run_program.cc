#include "smtpd/run_program.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <csignal>

#include "posix/files.h"
#include "posix/io.h"
#include "posix/server_log.h"

namespace postern::smtpd {
namespace {

// A descriptor that becomes readable when the process ends. On a kernel without them (before 5.3)
// the wait is as long as the program wants it.
bool ends_in_time(pid_t pid, std::chrono::milliseconds longest) {
  const Fd process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!process) return true;
  return wait_for(process.get(), POLLIN, Deadline::after(longest)).has_value();
}

}  // namespace

Result<ExitStatus> run_program(SpawnSpec spec, std::chrono::milliseconds longest) {
  const auto nothing = open_file("/dev/null", O_RDWR);
  if (!nothing) return std::unexpected(nothing.error());
  const int log = log_fd() >= 0 ? log_fd() : nothing->get();
  spec.fds.push_back({nothing->get(), 0});
  spec.fds.push_back({log, 1});
  spec.fds.push_back({log, 2});
  auto child = spawn(spec);
  if (!child) return std::unexpected(child.error());
  if (!ends_in_time(child->pid(), longest)) {
    log_warning(spec.argv.front() + " was killed because it took too long");
    ::kill(child->pid(), SIGKILL);
  }
  return child->wait();
}

}  // namespace postern::smtpd

#include "smtpd/run_program.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <csignal>

#include "posix/files.h"
#include "posix/io.h"
#include "posix/pipe.h"
#include "posix/server_log.h"

namespace postern::smtpd {
namespace {

// A descriptor that becomes readable when the process ends. On a kernel without them (before 5.3)
// there is none, and the wait is as long as the program wants it.
Fd open_process(pid_t pid) { return Fd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))); }

bool ends_in_time(const Fd& process, Deadline deadline) {
  if (!process) return true;
  return wait_for(process.get(), POLLIN, deadline).has_value();
}

// Until the program has ended, or closed its output and then ended. Error: why it is to be killed.
Status read_output(int fd, const Fd& process, std::size_t most, Deadline deadline,
                   std::string& text) {
  for (bool ended = false;;) {
    pollfd fds[] = {{fd, POLLIN, 0}, {process.get(), POLLIN, 0}};
    const int ready = ::poll(fds, 2, ended ? 0 : deadline.poll_timeout());
    if (ready < 0 && errno == EINTR) continue;
    if (ready < 0) return system_failure("unable to wait for its output");
    if (!ended && (ready == 0 || deadline.passed())) return failure("it took too long");
    if (fds[0].revents == 0) {
      if (ended) return {};  // and what it had written is read
      ended = fds[1].revents != 0;
      continue;
    }
    char piece[4096];
    const auto count = read_some(fd, piece, deadline);
    if (!count) return std::unexpected(count.error());
    if (*count == 0) break;
    if (text.size() + *count > most) return failure("it printed too much");
    text.append(piece, *count);
  }
  if (!ends_in_time(process, deadline)) return failure("it took too long");
  return {};
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
  if (!ends_in_time(open_process(child->pid()), Deadline::after(longest))) {
    log_warning(spec.argv.front() + " was killed because it took too long");
    ::kill(child->pid(), SIGKILL);
  }
  return child->wait();
}

Result<ProgramOutput> run_for_output(SpawnSpec spec, std::size_t most,
                                     std::chrono::milliseconds longest) {
  const auto nothing = open_file("/dev/null", O_RDWR);
  if (!nothing) return std::unexpected(nothing.error());
  auto pipe = make_pipe();
  if (!pipe) return std::unexpected(pipe.error());
  spec.fds.push_back({nothing->get(), 0});
  spec.fds.push_back({pipe->write.get(), 1});
  spec.fds.push_back({log_fd() >= 0 ? log_fd() : nothing->get(), 2});
  auto child = spawn(spec);
  if (!child) return std::unexpected(child.error());
  pipe->write.reset();
  std::string text;
  const auto read = read_output(pipe->read.get(), open_process(child->pid()), most,
                                Deadline::after(longest), text);
  if (!read) ::kill(child->pid(), SIGKILL);
  const auto status = child->wait();
  if (!read) return std::unexpected(read.error());
  if (!status) return std::unexpected(status.error());
  return ProgramOutput{*status, std::move(text)};
}

}  // namespace postern::smtpd

#include "posix/signals.h"

#include <sys/signalfd.h>

#include <csignal>

namespace postern {

Result<SignalFd> SignalFd::watch(std::initializer_list<int> signals) {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : signals) {
    sigaddset(&set, signal);
    // A signal inherited as ignored would never arrive (a supervisor may ignore SIGCHLD).
    std::signal(signal, SIG_DFL);
  }
  if (sigprocmask(SIG_BLOCK, &set, nullptr) != 0) return system_failure("unable to block signals");
  Fd fd(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd) return system_failure("unable to watch for signals");
  return SignalFd(std::move(fd));
}

std::vector<int> SignalFd::take() {
  std::vector<int> taken;
  signalfd_siginfo info{};
  while (::read(fd_.get(), &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
    taken.push_back(static_cast<int>(info.ssi_signo));
  }
  return taken;
}

void ignore_signal(int signal) { std::signal(signal, SIG_IGN); }

}  // namespace postern

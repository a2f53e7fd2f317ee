#include "smtpd/smtp_server.h"

#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>

#include "posix/environment.h"
#include "posix/spawn.h"
#include "smtpd/session_process.h"

namespace postern::smtpd {
namespace {

constexpr std::chrono::seconds pause_after_trouble{1};

bool is_crash(int status) {
  if (!WIFSIGNALED(status)) return false;
  constexpr int crashes[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGSYS, SIGTRAP};
  return std::ranges::find(crashes, WTERMSIG(status)) != std::end(crashes);
}

}  // namespace

SmtpServer::SmtpServer(ServerOptions options, std::vector<std::string> command, Fd listener,
                       std::set<pid_t> sessions, SignalFd signals, QueueBroker broker)
    : options_(std::move(options)),
      command_(std::move(command)),
      listener_(std::move(listener)),
      sessions_(std::move(sessions)),
      signals_(std::move(signals)),
      broker_(std::move(broker)),
      not_before_(Deadline::after(std::chrono::milliseconds(0))) {}

Error SmtpServer::run() {
  log_status();
  while (!crashed_) {
    if (const auto done = turn(); !done) return done.error();
  }
  return start_anew();
}

Status SmtpServer::turn() {
  const bool has_room = sessions_.size() < options_.most_sessions && not_before_.passed();
  std::vector<pollfd> polled;
  broker_.add_to(polled);
  polled.push_back({signals_.fd(), POLLIN, 0});
  if (has_room) polled.push_back({listener_.get(), POLLIN, 0});
  int timeout = broker_.tidy();
  if (!not_before_.passed()) timeout = not_before_.poll_timeout();
  if (::poll(polled.data(), polled.size(), timeout) < 0) {
    if (errno == EINTR) return {};
    return system_failure("unable to wait for connections");
  }
  reap();
  if (has_room && polled.back().revents != 0) accept_connections();
  polled.resize(polled.size() - (has_room ? 2 : 1));
  broker_.handle(polled);
  return {};
}

void SmtpServer::reap() {
  (void)signals_.take();
  int status = 0;
  for (pid_t pid; (pid = ::waitpid(-1, &status, WNOHANG)) > 0;) {
    if (sessions_.erase(pid) == 0) continue;  // a qmail-queue: its socket shows that it has ended
    crashed_ = crashed_ || is_crash(status);
    if (!options_.logs_connections) continue;
    log_line("end " + std::to_string(pid) + " status " + std::to_string(status));
    log_status();
  }
}

void SmtpServer::accept_connections() {
  while (sessions_.size() < options_.most_sessions) {
    Fd connection(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (connection) {
      start_session(std::move(connection));
    } else if (errno == EAGAIN) {
      return;
    } else if (errno != ECONNABORTED && errno != EINTR) {
      // Out of descriptors or memory: the client waits, and so do we.
      log_line("warning: " + describe({"unable to accept a connection", errno}));
      not_before_ = Deadline::after(pause_after_trouble);
      return;
    }
  }
}

void SmtpServer::start_session(Fd connection) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    become_session(std::move(connection), broker_.orders_for_sessions(), options_);
  }
  if (pid < 0) {
    log_line("drop: " + describe({"unable to fork", errno}));
    not_before_ = Deadline::after(pause_after_trouble);
    return;
  }
  sessions_.insert(pid);
  if (options_.logs_connections) log_status();
}

// All sessions are copies of one process, so what one gives away about the addresses in its memory
// is true of the others. One that has crashed may have been an attempt to find them out: the next
// is to begin from nothing.
Error SmtpServer::start_anew() const {
  log_line("warning: a session has crashed: starting anew");
  std::string state = std::to_string(listener_.get());
  for (const pid_t pid : sessions_) state += "," + std::to_string(pid);
  set_environment_variable(server_state_variable, state);
  return execute(
      {.argv = command_, .path = "/proc/self/exe", .fds = {{listener_.get(), listener_.get()}}});
}

void SmtpServer::log_status() const {
  if (!options_.logs_connections) return;
  log_line("status: " + std::to_string(sessions_.size()) + "/" +
           std::to_string(options_.most_sessions));
}

}  // namespace postern::smtpd

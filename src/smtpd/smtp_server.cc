#include "smtpd/smtp_server.h"

#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <utility>

#include "posix/environment.h"
#include "posix/io.h"
#include "posix/spawn.h"

namespace postern::smtpd {
namespace {

constexpr std::chrono::seconds pause_after_trouble{1};
constexpr int most_accepted_per_turn = 64;

bool is_crash(int status) {
  if (!WIFSIGNALED(status)) return false;
  constexpr int crashes[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGSYS, SIGTRAP};
  return std::ranges::find(crashes, WTERMSIG(status)) != std::end(crashes);
}

std::optional<wire::TcpEnd> our_end(const Fd& connection) {
  sockaddr_storage local{};
  socklen_t size = sizeof local;
  if (::getsockname(connection.get(), reinterpret_cast<sockaddr*>(&local), &size) != 0) {
    return std::nullopt;
  }
  return wire::describe_end(local);
}

}  // namespace

SmtpServer::SmtpServer(ServerOptions options, std::vector<std::string> command, ServerState state,
                       SignalFd signals, QueueBroker broker)
    : options_(std::move(options)),
      command_(std::move(command)),
      listener_(std::move(state.listener)),
      signals_(std::move(signals)),
      broker_(std::move(broker)),
      rules_(options_.rules),
      sessions_({.most_clients = options_.most_clients}),
      not_before_(Deadline::after(std::chrono::milliseconds(0))) {
  sessions_.adopt(state.sessions);
}

Error SmtpServer::run() {
  log_status();
  reap();  // those that ended while we started anew: their signal went with what we were
  while (!crashed_) {
    if (const auto done = turn(); !done) return done.error();
  }
  write_log();
  return start_anew();
}

Status SmtpServer::turn() {
  write_log();
  const bool waits = not_before_.passed();
  const bool has_room = waits && sessions_.busy() < options_.most_sessions;
  int timeout = sooner(broker_.tidy(), sessions_.tidy());
  if (!waits) timeout = sooner(timeout, not_before_.poll_timeout());

  std::vector<pollfd> polled = {{signals_.fd(), POLLIN, 0},
                                {has_room ? listener_.get() : -1, POLLIN, 0}};
  const std::size_t before_sessions = polled.size();
  sessions_.add_to(polled);
  const std::size_t before_broker = polled.size();
  broker_.add_to(polled);
  if (::poll(polled.data(), polled.size(), timeout) < 0) {
    if (errno == EINTR) return {};
    return system_failure("unable to wait for connections");
  }
  const std::span all(polled);
  broker_.handle(all.subspan(before_broker));
  for (const auto& ended :
       sessions_.hear(all.subspan(before_sessions, before_broker - before_sessions))) {
    log_end(ended);
  }
  if (polled[0].revents != 0) reap();
  // After a crash whoever waits is for what we start anew as.
  if (polled[1].revents != 0 && !crashed_) accept_connections();
  return {};
}

void SmtpServer::reap() {
  (void)signals_.take();
  int status = 0;
  for (pid_t pid = -1; (pid = ::waitpid(-1, &status, WNOHANG)) > 0;) {
    if (broker_.remove(pid)) continue;
    if (is_crash(status) && !std::exchange(crashed_, true)) {
      log("warning: a session has crashed: starting anew");
    }
    if (const auto ended = sessions_.remove(pid, status)) log_end(*ended);
  }
}

void SmtpServer::accept_connections() {
  for (int count = 0; count < most_accepted_per_turn; ++count) {
    if (sessions_.busy() >= options_.most_sessions || !not_before_.passed()) return;
    sockaddr_storage remote{};
    socklen_t size = sizeof remote;
    Fd connection(
        ::accept4(listener_.get(), reinterpret_cast<sockaddr*>(&remote), &size, SOCK_CLOEXEC));
    if (connection) {
      greet(std::move(connection), remote);
    } else if (errno == EAGAIN) {
      return;
    } else if (errno != ECONNABORTED && errno != EINTR) {
      // Out of descriptors or memory: the client waits, and so do we.
      log("warning: " + describe({"unable to accept a connection", errno}));
      not_before_ = Deadline::after(pause_after_trouble);
    }
  }
}

void SmtpServer::greet(Fd connection, const sockaddr_storage& remote) {
  const wire::TcpConnection description{.local = our_end(connection),
                                        .remote = wire::describe_end(remote),
                                        .local_host = options_.local_host,
                                        .remote_host = {},
                                        .remote_info = {}};
  if (!description.local || !description.remote) return;  // it has gone
  auto settings = wire::tcp_settings(description);
  if (!options_.rules.empty()) {
    const auto rule = rules_.find(description.remote->ip);
    if (!rule) return log("drop: " + describe(rule.error()));
    if (rule->deny) return log_connection("deny", ::getpid(), description);
    settings.insert(settings.end(), rule->settings.begin(), rule->settings.end());
  }
  Client client{std::move(connection), {}};
  for (const auto& setting : settings) client.settings.push_back(wire::format_setting(setting));
  serve(description, std::move(client));
}

void SmtpServer::serve(const wire::TcpConnection& description, Client client) {
  const std::string& address = description.remote->ip;
  auto pid = sessions_.give(address, client);
  if (!pid) {
    const auto started = start_session(std::move(client), address);
    if (!started) {
      log("drop: " + describe(started.error()));
      not_before_ = Deadline::after(pause_after_trouble);
      return;
    }
    pid = *started;
  }
  log_status();
  log_connection("ok", *pid, description);
}

Result<pid_t> SmtpServer::start_session(Client client, const std::string& address) {
  auto sockets = make_packet_pair();
  if (!sockets) return std::unexpected(sockets.error());
  const pid_t pid = ::fork();
  if (pid < 0) return system_failure("unable to fork");
  if (pid == 0) {
    become_session(std::move(client), {.arguments = options_.session,
                                       .orders = broker_.orders_for_sessions(),
                                       .server = sockets->theirs.get()});
  }
  sessions_.add(pid, std::move(sockets->ours), address);
  return pid;
}

// All sessions are copies of one process, so what one gives away about the addresses in its memory
// is true of the others. One that has crashed may have been an attempt to find them out: the next
// is to begin from nothing.
Error SmtpServer::start_anew() const {
  std::string state = std::to_string(listener_.get());
  for (const pid_t pid : sessions_.busy_processes()) state += "," + std::to_string(pid);
  set_environment_variable(server_state_variable, state);
  return execute(
      {.argv = command_, .path = "/proc/self/exe", .fds = {{listener_.get(), listener_.get()}}});
}

void SmtpServer::log(const std::string& line) {
  // In tcpserver's words: whatever reads the logs of an SMTP service knows them.
  log_.append("tcpserver: ").append(line).append("\n");
}

void SmtpServer::log_connection(std::string_view verdict, pid_t pid,
                                const wire::TcpConnection& description) {
  if (!options_.logs_connections) return;
  const std::string number = std::to_string(pid);
  const auto& [ip, port, is_v6] = *description.remote;
  log("pid " + number + " from " + ip);
  log(std::string(verdict) + " " + number + " " + description.local_host.value_or("") + ":" +
      description.local->ip + ":" + description.local->port + " :" + ip + "::" + port);
}

void SmtpServer::log_end(const SessionPool::Ended& ended) {
  if (!options_.logs_connections) return;
  log("end " + std::to_string(ended.pid) + " status " + std::to_string(ended.status));
  log_status();
}

void SmtpServer::log_status() {
  if (!options_.logs_connections) return;
  log("status: " + std::to_string(sessions_.busy()) + "/" + std::to_string(options_.most_sessions));
}

void SmtpServer::write_log() {
  if (!log_.empty()) (void)write_all(2, log_);
  log_.clear();
}

}  // namespace postern::smtpd

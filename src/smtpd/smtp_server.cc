#include "smtpd/smtp_server.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <utility>

#include "posix/environment.h"
#include "posix/files.h"
#include "posix/io.h"
#include "smtpd/session_queue.h"

namespace postern::smtpd {
namespace {

constexpr std::chrono::seconds pause_after_trouble{1};
constexpr int most_accepted_per_turn = 64;

std::optional<wire::TcpEnd> our_end(const Fd& connection) {
  sockaddr_storage local{};
  socklen_t size = sizeof local;
  if (::getsockname(connection.get(), reinterpret_cast<sockaddr*>(&local), &size) != 0) {
    return std::nullopt;
  }
  return wire::describe_end(local);
}

}  // namespace

SmtpServer::SmtpServer(ServerOptions options, Fd listener, SignalFd signals, QueueBroker broker)
    : options_(std::move(options)),
      listener_(std::move(listener)),
      signals_(std::move(signals)),
      broker_(std::move(broker)),
      rules_(options_.rules),
      sessions_({.most_clients = options_.most_clients}),
      not_before_(Deadline::after(std::chrono::milliseconds(0))) {}

Error SmtpServer::run() {
  log_status();
  for (;;) {
    if (const auto done = turn(); !done) return done.error();
  }
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
  if (polled[1].revents != 0) accept_connections();
  return {};
}

void SmtpServer::reap() {
  (void)signals_.take();
  int status = 0;
  for (pid_t pid = -1; (pid = ::waitpid(-1, &status, WNOHANG)) > 0;) {
    if (broker_.remove(pid)) continue;
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
  const auto pid = have_served(client, description.remote->ip);
  if (!pid) {
    log("drop: " + describe(pid.error()));
    not_before_ = Deadline::after(pause_after_trouble);
    return;
  }
  log_status();
  log_connection("ok", *pid, description);
}

// The pid of whoever serves him.
Result<pid_t> SmtpServer::have_served(const Client& client, const std::string& address) {
  if (const auto pid = sessions_.give(address, client)) return *pid;
  const bool is_own = own_smtpd_.is(home_ + "/" + std::string(wire::session_program));
  if (!is_own || options_.most_clients == 1) return start_session_for(client, is_own);
  if (const auto started = start_session(address); !started) {
    return std::unexpected(started.error());
  }
  if (const auto pid = sessions_.give(address, client)) return *pid;
  return failure("qmail-smtpd has ended at once");
}

// For this client and others that come from his address.
Status SmtpServer::start_session(const std::string& address) {
  auto sockets = make_packet_pair();
  if (!sockets) return std::unexpected(sockets.error());
  const auto nothing = open_file("/dev/null", O_RDWR);
  if (!nothing) return std::unexpected(nothing.error());
  SpawnSpec spec = session_spec(true);
  set_in(*spec.environment, wire::kept_worker_variable, std::to_string(wire::kept_worker_fd));
  spec.fds.push_back({sockets->theirs.get(), wire::kept_worker_fd});
  for (const int fd : {0, 1}) spec.fds.push_back({nothing->get(), fd});
  const auto child = spawn(spec);
  if (!child) return std::unexpected(child.error());
  sessions_.add(child->pid(), std::move(sockets->ours), address);
  return {};
}

// For this client alone, as tcpserver starts one.
Result<pid_t> SmtpServer::start_session_for(const Client& client, bool is_own) {
  SpawnSpec spec = session_spec(is_own);
  for (const auto& word : client.settings)
    wire::apply(wire::parse_setting(word), *spec.environment);
  for (const int fd : {0, 1}) spec.fds.push_back({client.connection.get(), fd});
  const auto child = spawn(spec);
  if (!child) return std::unexpected(child.error());
  sessions_.add_for_one(child->pid());
  return child->pid();
}

// Each is started as a program, not forked: so each has a layout of memory of its own, and what a
// crash may have told somebody about one is true of no other.
SpawnSpec SmtpServer::session_spec(bool is_own) const {
  SpawnSpec spec;
  spec.argv = {std::string(wire::session_program)};
  spec.argv.insert(spec.argv.end(), options_.session.begin(), options_.session.end());
  spec.directory = home_;
  spec.environment = current_environment();
  if (is_own) {
    set_in(*spec.environment, session_orders_variable, home_);
    spec.fds.push_back({broker_.orders_for_sessions(), session_orders_fd});
  }
  return spec;
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

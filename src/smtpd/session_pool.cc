#include "smtpd/session_pool.h"

#include <algorithm>

#include "posix/io.h"
#include "wire/kept_worker.h"

namespace postern::smtpd {

void SessionPool::add(pid_t pid, Fd socket, std::string address) {
  processes_.push_back({.pid = pid,
                        .socket = std::move(socket),
                        .address = std::move(address),
                        .until = Deadline::after(limits_.idle)});
}

void SessionPool::add_for_one(pid_t pid) {
  processes_.push_back({.pid = pid, .socket = {}, .address = {}, .busy = true});
  ++busy_;
}

std::optional<pid_t> SessionPool::give(const std::string& address, const Client& client) {
  const int descriptor[] = {client.connection.get()};
  for (auto& process : processes_) {
    if (process.busy || !process.socket || process.address != address) continue;
    if (!send_packet(process.socket.get(), wire::format_kept_order(client.settings), descriptor)) {
      process.socket.reset();
      continue;
    }
    process.busy = true;
    ++process.clients;
    ++busy_;
    return process.pid;
  }
  return std::nullopt;
}

void SessionPool::add_to(std::vector<pollfd>& polled) const {
  for (const auto& process : processes_) polled.push_back({process.socket.get(), POLLIN, 0});
}

std::vector<SessionPool::Ended> SessionPool::hear(std::span<const pollfd> polled) {
  std::vector<Ended> ended;
  auto next = processes_.begin();
  for (const auto& heard : polled) {
    const auto process = next++;
    if (heard.revents == 0) continue;
    char exit_code = 0;
    const auto count = read_some(process->socket.get(), {&exit_code, 1});
    if (!count || *count == 0) {
      process->socket.reset();  // it is ending
    } else if (process->busy) {
      ended.push_back({process->pid, static_cast<unsigned char>(exit_code) << 8});
      rest(*process);
      processes_.splice(processes_.begin(), processes_, process);
    }
  }
  return ended;
}

void SessionPool::rest(Process& process) {
  process.busy = false;
  --busy_;
  process.until = Deadline::after(limits_.idle);
  if (process.clients >= limits_.most_clients) process.socket.reset();
}

std::optional<SessionPool::Ended> SessionPool::remove(pid_t pid, int status) {
  const auto process = std::ranges::find(processes_, pid, &Process::pid);
  if (process == processes_.end()) return std::nullopt;
  const bool was_busy = process->busy;
  processes_.erase(process);
  if (!was_busy) return std::nullopt;
  --busy_;
  return Ended{pid, status};
}

int SessionPool::tidy() {
  int timeout = -1;
  std::size_t waiting = 0;
  for (auto& process : processes_) {
    if (process.busy || !process.socket) continue;
    if (process.until.passed() || ++waiting > limits_.most_idle) {
      process.socket.reset();
    } else {
      timeout = sooner(timeout, process.until.poll_timeout());
    }
  }
  return timeout;
}

}  // namespace postern::smtpd

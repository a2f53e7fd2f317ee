#include "wire/kept_worker.h"

#include <fcntl.h>

#include "posix/environment.h"
#include "posix/packets.h"

namespace postern::wire {

std::string format_kept_order(std::span<const std::string> arguments) {
  std::string bytes;
  for (const auto& argument : arguments) bytes.append(argument).push_back('\0');
  return bytes;
}

std::optional<std::vector<std::string>> parse_kept_order(std::string_view bytes) {
  if (bytes.empty() || bytes.back() != '\0') return std::nullopt;
  std::vector<std::string> arguments;
  while (!bytes.empty()) {
    const std::size_t end = bytes.find('\0');
    arguments.emplace_back(bytes.substr(0, end));
    bytes.remove_prefix(end + 1);
  }
  return arguments;
}

KeptWorker KeptWorker::from_environment(std::string_view argv0, std::string_view program) {
  const auto value = environment_variable(kept_worker_variable);
  unset_environment_variable(kept_worker_variable);
  if (!value || *value != std::to_string(kept_worker_fd)) return none();
  // Whatever it is, no program that is run has a use for it.
  if (::fcntl(kept_worker_fd, F_SETFD, FD_CLOEXEC) != 0) return none();
  KeptWorker worker{Fd(kept_worker_fd)};
  return argv0 == program ? std::move(worker) : none();
}

Result<std::optional<KeptOrder>> KeptWorker::next(int exit_code, Brings brings) {
  if (!socket_) return std::nullopt;
  const char said = static_cast<char>(exit_code);
  if (!send_packet(socket_.get(), {&said, 1})) return std::nullopt;
  return first(brings);
}

Result<std::optional<KeptOrder>> KeptWorker::first(Brings brings) {
  if (!socket_) return std::nullopt;
  auto packet = receive_packet(socket_.get(), most_kept_order_bytes);
  if (!packet) return std::unexpected(packet.error());
  if (!*packet) return std::nullopt;
  auto arguments = parse_kept_order((*packet)->bytes);
  auto& descriptors = (*packet)->descriptors;
  // Without room for a descriptor the kernel leaves it out.
  const std::size_t expected = brings == Brings::message ? 1 : 0;
  if (!arguments || descriptors.size() != expected) return failure("an order that is not whole");
  KeptOrder order{std::move(*arguments), {}};
  if (expected == 1) order.message = std::move(descriptors.front());
  return order;
}

}  // namespace postern::wire

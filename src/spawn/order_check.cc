#include "spawn/order_check.h"

#include <fcntl.h>

#include <algorithm>

#include "base/ascii.h"
#include "posix/files.h"

namespace postern::spawning {
namespace {

constexpr std::size_t most_message_path = 100;  // bytes

std::unexpected<Refusal> refuse(std::string_view text) {
  return std::unexpected(Refusal(text) + "\n");
}

}  // namespace

std::expected<void, Refusal> check_order(std::string_view message, std::string_view recipient) {
  const auto belongs = [](char c) { return c == '/' || is_digit(c); };
  if (!std::ranges::all_of(message, belongs) || message.starts_with('/')) {
    return refuse("DInternal error: messid has nonnumerics. (#5.3.5)");
  }
  if (message.size() > most_message_path) {
    return refuse("DInternal error: messid too long. (#5.3.5)");
  }
  if (message.empty()) return refuse("DInternal error: messid too short. (#5.3.5)");
  if (!recipient.contains('@')) return refuse("DSorry, address must include host name. (#5.1.3)");
  return {};
}

std::expected<Fd, Refusal> open_message(const std::string& path, uid_t owner) {
  // Without O_NONBLOCK a FIFO in the place of a message would stop every delivery.
  auto message = open_file(path, O_RDONLY | O_NONBLOCK);
  if (!message) return refuse("Zqmail-spawn unable to open message. (#4.3.0)");
  const auto info = stat_open_file(message->get());
  if (!info) return refuse("Zqmail-spawn unable to fstat message. (#4.3.0)");
  if (!S_ISREG(info->st_mode)) return refuse("ZSorry, message has wrong type. (#4.3.5)");
  if (info->st_uid != owner) return refuse("ZSorry, message has wrong owner. (#4.3.5)");
  return std::move(*message);
}

}  // namespace postern::spawning

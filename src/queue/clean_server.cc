#include "queue/clean_server.h"

#include <dirent.h>

#include <csignal>
#include <memory>
#include <string>
#include <vector>

#include "posix/clock.h"
#include "posix/files.h"
#include "posix/io.h"
#include "posix/program.h"
#include "posix/signals.h"
#include "wire/descriptors.h"
#include "wire/home.h"
#include "wire/queue_names.h"
#include "wire/time_limits.h"

namespace postern::queue {
namespace {

using wire::CleanOrder;
using wire::CleanReply;

constexpr int orders_between_sweeps = 30;

std::vector<std::string> names_in(const char* directory) {
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(::opendir(directory), ::closedir);
  std::vector<std::string> names;
  if (!stream) return names;
  while (const dirent* entry = ::readdir(stream.get())) {
    if (entry->d_name[0] != '.') names.emplace_back(entry->d_name);
  }
  return names;
}

// Reads one request, without its NUL. One that is too long is cut, and is then of no known form.
// Nothing: the end of file; what came before it without a NUL was never an order.
Result<bool> read_request(BufferedInput& input, std::string& request) {
  request.clear();
  for (;;) {
    const auto bytes = input.peek();
    if (!bytes) return std::unexpected(bytes.error());
    if (bytes->empty()) return false;
    const std::size_t end = bytes->find('\0');
    const std::string_view part = bytes->substr(0, end);
    request += part.substr(0, wire::most_clean_order_bytes - request.size());
    input.consume(end == std::string_view::npos ? part.size() : end + 1);
    if (end != std::string_view::npos) return true;
  }
}

}  // namespace

// No directory is synced here. A name that comes back after a power cut either has its mess/N, and
// qmail-send takes the message up again; or has none, and is debris (docs/QUEUE.md, "Going").
CleanReply carry_out_clean_order(std::string_view request) {
  const auto order = wire::parse_clean_order(request);
  if (!order) return CleanReply::bad_request;
  // mess/N is always the last name to go: while another one stands, its number is taken.
  const std::string second = order->kind == CleanOrder::Kind::message ? wire::mess_path(order->id)
                                                                      : wire::todo_path(order->id);
  const bool removed = remove_file(wire::intd_path(order->id)) && remove_file(second);
  return removed ? CleanReply::done : CleanReply::unlink_failed;
}

void sweep_pid_directory(std::int64_t now) {
  for (const auto& name : names_in("pid")) {
    const std::string path = "pid/" + name;
    const auto info = stat_file(path);
    if (info && now > info->st_atime + wire::debris_age) (void)remove_file(path);
  }
}

int serve_clean_orders(int orders, int reports) {
  BufferedInput input(orders);
  std::string request;
  int until_sweep = 0;
  for (;;) {
    const auto more = read_request(input, request);
    if (!more) return exit_code::temporary;
    if (!*more) return exit_code::ok;
    if (until_sweep-- == 0) {
      sweep_pid_directory(unix_time());
      until_sweep = orders_between_sweeps;
    }
    const char reply = static_cast<char>(carry_out_clean_order(request));
    if (!write_all(reports, {&reply, 1})) return exit_code::temporary;
  }
}

int run_clean_program() {
  ignore_signal(SIGPIPE);
  const std::string queue = wire::home() + "/queue";
  if (const auto done = change_directory(queue); !done) die(exit_code::temporary, done.error());
  return serve_clean_orders(wire::server_fd::orders, wire::server_fd::reports);
}

}  // namespace postern::queue

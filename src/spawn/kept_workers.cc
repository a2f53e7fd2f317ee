#include "spawn/kept_workers.h"

#include <algorithm>

#include "posix/environment.h"
#include "wire/kept_worker.h"

namespace postern::spawning {
namespace {

// A child that cannot be waited for is none of ours any more.
bool has_ended(Child& child) {
  const auto status = child.try_wait();
  return !status || *status;
}

}  // namespace

void KeptWorkers::put(Worker worker) {
  const Time now = clock_();
  if (worker.deliveries == 0) worker.first_stay = now;
  const bool worn = ++worker.deliveries >= limits_.deliveries;
  const Time until = (limits_.in_all ? worker.first_stay : now) + lifetime;
  waiting_.push_back({std::move(worker), until});
  if (worn || until <= now) return let_go(std::prev(waiting_.end()));
  if (waiting_.size() > limits_.most) let_go(waiting_.begin());
}

// The one that has waited least: those that nobody needs grow old.
std::optional<Worker> KeptWorkers::give(const std::string& kind, std::string_view order,
                                        std::span<const int> descriptors) {
  if (order.size() > wire::most_kept_order_bytes) return std::nullopt;
  for (auto it = waiting_.end(); it != waiting_.begin();) {
    if ((--it)->worker.kind != kind) continue;
    if (!send_packet(it->worker.stays.get(), order, descriptors)) {
      let_go(it);
      return std::nullopt;
    }
    Worker worker = std::move(it->worker);
    waiting_.erase(it);
    return worker;
  }
  return std::nullopt;
}

int KeptWorkers::tidy() {
  using std::chrono::milliseconds;
  const Time now = clock_();
  std::optional<Time> next;
  for (auto it = waiting_.begin(); it != waiting_.end();) {
    const auto waiting = it++;
    if (waiting->until <= now) {
      let_go(waiting);
    } else {
      next = std::min(next.value_or(waiting->until), waiting->until);
    }
  }
  if (!next) return -1;
  return static_cast<int>(std::chrono::ceil<milliseconds>(*next - now).count());
}

void KeptWorkers::collect() {
  std::erase_if(waiting_, [](Waiting& waiting) { return has_ended(waiting.worker.child); });
  std::erase_if(leaving_, has_ended);
}

// It reads the end of its socket, and exits.
void KeptWorkers::let_go(std::list<Waiting>::iterator waiting) {
  leaving_.push_back(std::move(waiting->worker.child));
  waiting_.erase(waiting);
}

void tell_of_socket(SpawnSpec& spec) {
  spec.environment = current_environment();
  set_in(*spec.environment, wire::kept_worker_variable, std::to_string(wire::kept_worker_fd));
}

void offer_to_stay(SpawnSpec& spec, PacketPair& sockets) {
  auto made = make_packet_pair();
  if (!made) return;
  sockets = std::move(*made);
  spec.fds.push_back({sockets.theirs.get(), wire::kept_worker_fd});
  tell_of_socket(spec);
}

}  // namespace postern::spawning

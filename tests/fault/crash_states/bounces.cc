#include "bounces.h"

#include <utility>

#include "wire/queue_client.h"

namespace postern {
namespace {

// There is one at a time: without threads the engine writes each bounce in one go.
crash_states::Bounce current;
std::vector<crash_states::Bounce> queued;

}  // namespace

std::vector<crash_states::Bounce> crash_states::take_bounces() { return std::exchange(queued, {}); }

namespace wire {

Result<QueueClient> QueueClient::open(const std::string& /*qmail_home*/, int /*diagnostics*/) {
  current = {};
  return QueueClient();
}

QueueClient::~QueueClient() = default;

void QueueClient::write(std::string_view bytes) { current.text += bytes; }

void QueueClient::sender(std::string_view address) {
  current.envelope.append("F").append(address).append(1, '\0');
}

void QueueClient::recipient(std::string_view address) {
  current.envelope.append("T").append(address).append(1, '\0');
}

QueueReply QueueClient::finish() {
  if (failed_) return {"Z", 0};
  current.envelope += '\0';
  queued.push_back(std::exchange(current, {}));
  return {};
}

}  // namespace wire
}  // namespace postern

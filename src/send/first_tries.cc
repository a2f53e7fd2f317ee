#include "send/first_tries.h"

namespace postern::send {
namespace {

// Messages that may wait for their turn. Their number is limited because todo, which holds them, is
// read over and over.
constexpr std::size_t most_waiting = 1024;
// Messages that have been deferred and whose files are being made: these are open. With more, a
// delivery ends when the files are there.
constexpr std::size_t most_deferred = 64;
// One that waits or runs longer gets its files, and shows in qmail-qread like any other message.
constexpr std::int64_t short_try = 5;  // seconds

}  // namespace

bool FirstTries::add(wire::MessageId id, std::string sender, std::string address,
                     std::int64_t now) {
  if (waiting_ >= most_waiting) return false;
  ++waiting_;
  Message& message = messages_[id];
  message.sender = std::move(sender);
  message.address = std::move(address);
  long_.add(id, now + short_try);
  return true;
}

FirstTries::Message* FirstTries::find(wire::MessageId id) {
  const auto found = messages_.find(id);
  return found == messages_.end() ? nullptr : &found->second;
}

bool FirstTries::remove(wire::MessageId id) {
  const auto found = messages_.find(id);
  if (found == messages_.end()) return false;
  if (!found->second.running) --waiting_;
  if (found->second.deferred) --deferred_;
  messages_.erase(found);
  return true;
}

void FirstTries::begin(Message& message) {
  --waiting_;
  message.running = true;
}

bool FirstTries::may_defer() const { return deferred_ < most_deferred; }

void FirstTries::defer(Message& message) {
  ++deferred_;
  message.deferred = true;
}

std::vector<wire::MessageId> FirstTries::deferred() const {
  std::vector<wire::MessageId> ids;
  for (const auto& [id, message] : messages_) {
    if (message.deferred) ids.push_back(id);
  }
  return ids;
}

void FirstTries::ask_to_settle(wire::MessageId id, Message& message) {
  if (!std::exchange(message.settling, true)) unsettled_.push_back(id);
}

std::vector<wire::MessageId> FirstTries::take_unsettled(std::int64_t now) {
  while (const auto id = long_.take_due(now)) {
    if (Message* message = find(*id)) ask_to_settle(*id, *message);
  }
  return std::exchange(unsettled_, {});
}

}  // namespace postern::send

// One message on its way from a client into the queue, with all that can be wrong about it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "wire/message_queue.h"
#include "wire/peer.h"

namespace postern::qmtp {

/// What a server needs besides its client.
struct Services {
  wire::MessageQueue& queue;
  std::function<std::int64_t()> now;  // seconds since 1970
};

class Intake {
 public:
  /// `protocol` for the Received field, "QMTP". At most `most_bytes` of message; 0: no limit.
  Intake(Services services, wire::Peer peer, std::string protocol, std::uint64_t most_bytes = 0);

  /// Starts qmail-queue. Error: it cannot be started.
  Status open();
  void write(std::string_view bytes);
  void sender(std::string_view address);
  void recipient(std::string_view address);
  /// It is not wanted after all: nothing is queued.
  void give_up() { message_.reset(); }
  [[nodiscard]] bool is_too_large() const { return most_bytes_ > 0 && bytes_ > most_bytes_; }
  /// What becomes of it, as the client is told: "Kok TIME qp PID" once it is in the queue and
  /// durable, else a text with D (never) or Z (not now) in front.
  std::string finish();

 private:
  Services services_;
  wire::Peer peer_;
  std::string protocol_;
  std::uint64_t most_bytes_;
  std::uint64_t bytes_ = 0;
  std::unique_ptr<wire::OutgoingMessage> message_;  // nothing: given up
};

}  // namespace postern::qmtp

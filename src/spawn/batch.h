// The orders that have arrived together, put together where one worker may deliver them at once.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "spawn/channel.h"

namespace postern::spawning {

/// RFC 5321 4.5.3.1.8: a server takes a hundred recipients of a message, and need not take more.
inline constexpr std::size_t most_orders_together = 100;
/// Of their recipients, in bytes: they become the arguments of one program.
inline constexpr std::size_t most_recipient_bytes_together = 32768;

class Batch {
 public:
  /// `common`: Channel::common_to().
  void add(wire::DeliveryOrder order, const std::string& common);
  /// In the order in which the first of each has come; the messages are not open yet.
  std::vector<Delivery>& deliveries() { return deliveries_; }

 private:
  struct Open {
    std::size_t index = 0;  // of the delivery that has room
    std::size_t recipient_bytes = 0;
  };
  std::vector<Delivery> deliveries_;
  std::map<std::string, Open> open_;
};

}  // namespace postern::spawning

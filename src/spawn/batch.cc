#include "spawn/batch.h"

namespace postern::spawning {

void Batch::add(wire::DeliveryOrder order, const std::string& common) {
  const std::size_t bytes = order.recipient.size();
  if (const auto found = open_.find(common); !common.empty() && found != open_.end()) {
    auto& [index, recipient_bytes] = found->second;
    auto& orders = deliveries_[index].orders;
    if (orders.size() < most_orders_together &&
        recipient_bytes + bytes <= most_recipient_bytes_together) {
      orders.push_back(std::move(order));
      recipient_bytes += bytes;
      return;
    }
  }
  if (!common.empty()) open_[common] = {deliveries_.size(), bytes};
  deliveries_.emplace_back().orders.push_back(std::move(order));
}

}  // namespace postern::spawning

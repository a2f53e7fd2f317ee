#include "wire/clean_order.h"

namespace postern::wire {
namespace {

constexpr std::size_t least_clean_order_bytes = 7;

}  // namespace

std::string format_clean_order(const CleanOrder& order) {
  std::string bytes = order.kind == CleanOrder::Kind::message ? "foop/" : "todo/";
  bytes += std::to_string(order.id);
  bytes += '\0';
  return bytes;
}

std::optional<CleanOrder> parse_clean_order(std::string_view text) {
  const std::size_t bytes = text.size() + 1;
  if (bytes < least_clean_order_bytes || bytes > most_clean_order_bytes) return std::nullopt;
  const std::string_view word = text.substr(0, 5);
  const auto id = parse_message_id(text.substr(5));
  if (!id || (word != "foop/" && word != "todo/")) return std::nullopt;
  return CleanOrder{word == "foop/" ? CleanOrder::Kind::message : CleanOrder::Kind::todo, *id};
}

}  // namespace postern::wire

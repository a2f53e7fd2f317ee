#include "wire/delivery_order.h"

#include "posix/environment.h"

namespace postern::wire {
namespace {

std::optional<std::string> take_text(std::string_view& bytes) {
  const std::size_t end = bytes.find('\0');
  if (end == std::string_view::npos) return std::nullopt;
  std::string text(bytes.substr(0, end));
  bytes.remove_prefix(end + 1);
  return text;
}

}  // namespace

std::size_t delivery_number_bytes() {
  return environment_variable(wide_numbers_variable) == "2" ? 2 : 1;
}

std::string format_delivery_number(unsigned number, std::size_t number_bytes) {
  std::string bytes(1, static_cast<char>(number & 0xff));
  if (number_bytes == 2) bytes += static_cast<char>(number >> 8 & 0xff);
  return bytes;
}

unsigned parse_delivery_number(std::string_view bytes, std::size_t number_bytes) {
  unsigned number = static_cast<unsigned char>(bytes[0]);
  if (number_bytes == 2) number |= static_cast<unsigned>(static_cast<unsigned char>(bytes[1])) << 8;
  return number;
}

std::string format_order(const DeliveryOrder& order, std::size_t number_bytes) {
  std::string bytes = format_delivery_number(order.number, number_bytes);
  for (const auto* text : {&order.message, &order.sender, &order.recipient}) {
    bytes += *text;
    bytes += '\0';
  }
  return bytes;
}

std::optional<DeliveryOrder> take_order(std::string_view& bytes, std::size_t number_bytes) {
  if (bytes.size() < number_bytes) return std::nullopt;
  DeliveryOrder order;
  order.number = parse_delivery_number(bytes, number_bytes);
  std::string_view rest = bytes.substr(number_bytes);
  for (auto* text : {&order.message, &order.sender, &order.recipient}) {
    auto taken = take_text(rest);
    if (!taken) return std::nullopt;
    *text = std::move(*taken);
  }
  bytes = rest;
  return order;
}

std::string format_report(const DeliveryReport& report, std::size_t number_bytes) {
  std::string bytes = format_delivery_number(report.number, number_bytes);
  bytes += report.text;
  bytes += '\0';
  return bytes;
}

}  // namespace postern::wire

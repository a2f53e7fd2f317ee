// What qmail-send and the spawns say to one another. Described in docs/wire/spawn.md.
//   spawn -> send, once:  its limit, one byte (two, low first, with wide numbers)
//   send -> spawn:        delivery number, "8/100\0", "sender\0", "recipient\0"
//   spawn -> send:        delivery number, 'K' | 'Z' | 'D', text, "\0"
// A delivery number is one byte, or two (low first) when qmail-start has told both sides so.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace postern::wire {

/// qmail-start sets this to "2" for qmail-send and both spawns; without it numbers have one byte.
inline constexpr const char* wide_numbers_variable = "POSTERN_DELIVERY_NUMBER_BYTES";
/// Bytes of a delivery number (1 or 2), from the environment.
std::size_t delivery_number_bytes();

inline constexpr unsigned spawn_limit = POSTERN_SPAWN_LIMIT;  // conf-spawn
/// The most deliveries that can be numbered.
constexpr unsigned most_deliveries(std::size_t number_bytes) {
  return number_bytes == 2 ? 65535 : 255;
}

std::string format_delivery_number(unsigned number, std::size_t number_bytes);
/// Reads a number off the front; `bytes` holds at least `number_bytes`.
unsigned parse_delivery_number(std::string_view bytes, std::size_t number_bytes);

struct DeliveryOrder {
  unsigned number = 0;
  std::string message;  // path below queue/mess, "8/100"
  std::string sender;
  std::string recipient;

  bool operator==(const DeliveryOrder&) const = default;
};
std::string format_order(const DeliveryOrder& order, std::size_t number_bytes);
/// Takes one whole order off `bytes`; nothing (and `bytes` unchanged) when it is not yet whole.
std::optional<DeliveryOrder> take_order(std::string_view& bytes, std::size_t number_bytes);

/// The letters a report may begin with.
enum class Verdict : char { success = 'K', temporary = 'Z', permanent = 'D' };

struct DeliveryReport {
  unsigned number = 0;
  std::string text;  // letter and text, as sent; may be empty or begin with another letter

  bool operator==(const DeliveryReport&) const = default;
};
/// Read by ReportReader (wire/report_reader.h).
std::string format_report(const DeliveryReport& report, std::size_t number_bytes);

/// qmail-send keeps no more of a report than this, in bytes.
inline constexpr std::size_t most_report_bytes = 10000;

}  // namespace postern::wire

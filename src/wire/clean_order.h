// What qmail-send asks of qmail-clean. Described in docs/wire/clean.md.
//   "foop/100\0"  remove intd/100, then mess/8/100
//   "todo/100\0"  remove intd/100, then todo/100
// Each order gets one byte back before the next is sent.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "wire/queue_names.h"

namespace postern::wire {

struct CleanOrder {
  enum class Kind { message, todo };  // "foop" and "todo"
  Kind kind = Kind::todo;
  MessageId id = 0;

  bool operator==(const CleanOrder&) const = default;
};

/// With its final NUL.
std::string format_clean_order(const CleanOrder& order);
/// Without its NUL. Nothing: a bad request (length outside 7 to 100, a word or number unknown).
std::optional<CleanOrder> parse_clean_order(std::string_view text);
/// The longest request, in bytes with its NUL; what is longer is one bad request.
inline constexpr std::size_t most_clean_order_bytes = 100;

enum class CleanReply : char { done = '+', unlink_failed = '!', bad_request = 'x' };

}  // namespace postern::wire

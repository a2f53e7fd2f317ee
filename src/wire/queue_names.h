// The names of the queue's files, relative to HOME/queue. A message is named by the inode number of
// its mess file; the larger directories are split by that number. Described in docs/wire/queue.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace postern::wire {

using MessageId = std::uint64_t;

inline constexpr MessageId queue_split = POSTERN_SPLIT;  // conf-split, 23

std::string mess_path(MessageId id);    // mess/8/100
std::string info_path(MessageId id);    // info/8/100
std::string local_path(MessageId id);   // local/8/100
std::string remote_path(MessageId id);  // remote/8/100
std::string intd_path(MessageId id);    // intd/100
std::string todo_path(MessageId id);    // todo/100
std::string bounce_path(MessageId id);  // bounce/100

/// "8/100": how a delivery order names a message, below queue/mess.
std::string split_name(MessageId id);
/// "mess/8", the directory that mess_path(id) stands in; the same for info, local and remote.
std::string split_directory(std::string_view kind, MessageId id, MessageId split = queue_split);

/// A file name of the queue: a decimal number without leading zeros.
std::optional<MessageId> parse_message_id(std::string_view name);

inline constexpr const char* lock_sendmutex = "lock/sendmutex";
inline constexpr const char* lock_trigger = "lock/trigger";
inline constexpr const char* lock_tcpto = "lock/tcpto";    // IPv4 addresses
inline constexpr const char* lock_tcpto6 = "lock/tcpto6";  // IPv6 addresses

}  // namespace postern::wire

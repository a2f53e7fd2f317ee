// Time limits that two processes share, in seconds, and what must hold between them.
#pragma once

#include <cstdint>

namespace postern::wire {

/// A qmail-queue gives up after this: its files may then be swept.
inline constexpr std::int64_t queue_writer_deadline = 86400;
/// Files of unfinished messages older than this are debris.
inline constexpr std::int64_t debris_age = 129600;  // 36 hours
static_assert(queue_writer_deadline < debris_age, "a message still being written would be swept");

/// A delivery into a Maildir gives up after this; files in tmp older than debris_age are debris.
inline constexpr std::int64_t maildir_writer_deadline = 86400;
static_assert(maildir_writer_deadline < debris_age, "a delivery still going on would be swept");

/// qmail-send looks into todo at least this often even when the trigger is silent.
inline constexpr std::int64_t todo_scan_interval = 1500;
/// qmail-send looks for debris this often.
inline constexpr std::int64_t debris_scan_interval = 76431;
/// qmail-send tries again after this when the system has failed it.
inline constexpr std::int64_t system_failure_pause = 123;

}  // namespace postern::wire

// Dates as mail writes them. Times are seconds since 1970-01-01 00:00:00 UTC.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace postern {

/// A moment in UTC, split into what a calendar and a clock show.
struct CivilTime {
  std::int64_t year = 1970;
  int month = 1;    // 1 to 12
  int day = 1;      // 1 to 31
  int weekday = 4;  // 0 is Sunday
  int hour = 0;
  int minute = 0;
  int second = 0;  // 0 to 60
};

CivilTime civil_time(std::int64_t seconds);
/// Seconds since 1970 of a UTC date and time; the weekday is ignored.
std::int64_t seconds_since_1970(const CivilTime& time);

/// "2 Aug 2002 15:16:26 -0000": RFC 5322's date-time as qmail writes it, day without padding.
std::string format_date(std::int64_t seconds);
/// "Fri Aug 02 15:16:26 2002": the date of an mbox "From " line, day always two digits.
std::string format_mbox_date(std::int64_t seconds);

/// Parses one date-time (RFC 5322 3.3, obsolete zones too). Seconds since 1970, UTC.
/// Error: text that is not a date; never the current time as a guess.
Result<std::int64_t> parse_date(std::string_view text);

}  // namespace postern

// Whether qmail-send and the spawns may number deliveries with two bytes instead of qmail's one.
// All three must, or none: a byte more or less in their stream garbles every order. Only
// qmail-start sees all three before they run.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace postern::start {

/// More than one byte can number is configured: control/concurrencylocal or concurrencyremote is
/// above 255. The current directory is the qmail home; a file that makes no sense counts as absent
/// (qmail-send will complain of it).
bool wants_wide_numbers();

/// Each of these programs, as $PATH finds it, knows of wide numbers. They learn of them from an
/// environment variable, so one that knows holds its name; qmail's own programs, and scripts that
/// wrap ours, do not.
bool all_know_wide_numbers(std::span<const std::string_view> programs, std::string_view path);

}  // namespace postern::start

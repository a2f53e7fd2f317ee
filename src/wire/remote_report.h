// What qmail-remote says of a delivery, read by qmail-rspawn. Described in docs/wire/remote.md.
//   per recipient, in order:  'r' | 'h' | 's', text, "\0"   accepted, refused for good, for now
//   then one for the message: 'K' | 'Z' | 'D', text, "\0"
#pragma once

#include <string>
#include <string_view>

namespace postern::wire {

enum class RecipientVerdict : char { accepted = 'r', permanent = 'h', temporary = 's' };

/// One record, with its NUL; a NUL inside `text` becomes '?'.
std::string format_remote_record(char letter, std::string_view text);

/// The report for the one recipient qmail-rspawn asked for: letter K, Z or D, then text, put
/// together from the recipient's record and the message's. Never empty.
std::string combine_remote_report(std::string_view output);

}  // namespace postern::wire

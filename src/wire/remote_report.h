// What qmail-remote says of a delivery, read by qmail-rspawn. Described in docs/wire/remote.md.
//   per recipient, in order:  'r' | 'h' | 's', text, "\0"   accepted, refused for good, for now
//   then one for the message: 'K' | 'Z' | 'D', text, "\0"
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace postern::wire {

enum class RecipientVerdict : char { accepted = 'r', permanent = 'h', temporary = 's' };

/// One record, with its NUL; a NUL inside `text` becomes '?'.
std::string format_remote_record(char letter, std::string_view text);

/// The report for the one recipient qmail-rspawn asked for: letter K, Z or D, then text, put
/// together from the recipient's record and the message's. Never empty.
std::string combine_remote_report(std::string_view output);
/// The same for each of several recipients, which gets the report it would have got alone. Where a
/// record is missing that should be there, all of them are to be tried again.
std::vector<std::string> combine_remote_reports(std::string_view output, std::size_t recipients);

/// More than a record may have: a server's reply is cut at 5000 bytes.
inline constexpr std::size_t most_remote_record_bytes = 8192;

/// Stands in the program file of a qmail-remote whose records count for several recipients. To one
/// without it, as a script in front of ours, qmail-rspawn names one recipient, as qmail does.
inline constexpr char takes_several_mark[] = "POSTERN: this qmail-remote takes several recipients";

}  // namespace postern::wire

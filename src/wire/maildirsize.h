// The file maildirsize of a Maildir++ mailbox: its quota, and what has come and gone since it was
// counted (courier-mta.org/imap/README.maildirquota.html). Described in docs/wire/maildirsize.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace postern::wire {

/// Limits of a mailbox with its folders. Nothing: none of that kind.
struct MaildirQuota {
  std::optional<std::uint64_t> bytes{};
  std::optional<std::uint64_t> messages{};

  bool operator==(const MaildirQuota&) const = default;
};

struct MaildirUsage {
  std::int64_t bytes = 0;
  std::int64_t messages = 0;

  bool operator==(const MaildirUsage&) const = default;
};

struct MaildirSize {
  MaildirQuota quota{};
  MaildirUsage usage{};   // the sum of all lines
  std::size_t lines = 0;  // behind the first; one: it has just been counted
  bool sound = true;      // false: a line makes no sense, and the mailbox has to be counted

  bool operator==(const MaildirSize&) const = default;
};

/// A longer file is counted anew, in bytes.
inline constexpr std::size_t most_maildirsize_bytes = 5120;
/// So is one of more seconds than this, before a message is refused.
inline constexpr std::int64_t longest_maildirsize_age = 900;

/// "10000000S,1000C". Nothing: it is no quota. A limit of 0 is none.
std::optional<MaildirQuota> parse_maildir_quota(std::string_view text);
std::string format_maildir_quota(const MaildirQuota& quota);

/// Nothing: the first line is no quota, so that none applies.
std::optional<MaildirSize> parse_maildirsize(std::string_view text);
/// One line, of at least 14 bytes, as others write it.
std::string format_maildirsize_line(const MaildirUsage& usage);

/// Whether a message whose file has this name counts: those with the flag T do not.
bool counts_towards_quota(std::string_view name);
/// The size behind ",S=", where others have written it into a file's name to save a look at it.
std::optional<std::uint64_t> size_in_maildir_name(std::string_view name);

/// Whether the quota has room for `more` besides `usage`.
bool fits_maildir_quota(const MaildirQuota& quota, const MaildirUsage& usage,
                        const MaildirUsage& more);

}  // namespace postern::wire

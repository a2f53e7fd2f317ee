// What may stand in a queue, as qmail-queue-fsck looks at it: seven kinds of files for a message,
// each named by the message's number. docs/QUEUE.md has their meaning.
#pragma once

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "wire/queue_names.h"

namespace postern::fsck {

using wire::MessageId;

enum class Kind { mess, todo, intd, info, local, remote, bounce };
inline constexpr std::size_t kind_count = 7;

struct KindFacts {
  Kind kind;
  std::string_view name;  // of its directory
  bool is_split;          // by number, into conf-split directories
  bool of_send;           // belongs to qmails; else to qmailq
  mode_t mode;
};
inline constexpr std::array<KindFacts, kind_count> kinds = {{
    {Kind::mess, "mess", true, false, 0644},
    {Kind::todo, "todo", false, false, 0644},
    {Kind::intd, "intd", false, false, 0644},
    {Kind::info, "info", true, true, 0600},
    {Kind::local, "local", true, true, 0600},
    {Kind::remote, "remote", true, true, 0600},
    {Kind::bounce, "bounce", false, true, 0600},
}};
constexpr const KindFacts& facts_of(Kind kind) { return kinds[static_cast<std::size_t>(kind)]; }

/// Where the suite looks for a file, in a queue split into `split` directories: "mess/8/100".
std::string place_of(Kind kind, MessageId number, MessageId split);

// Directories of the repair's own, in the queue.

/// Files on their way to their new names. While the first exists, everything still goes by its old
/// number; while the second does, by its new one.
inline constexpr const char* gathering = "fsck-gathering";
inline constexpr const char* placing = "fsck-placing";
/// What could not be given back to the queue, a directory for each message.
inline constexpr const char* set_aside = "set-aside";

/// A file on its way: "info.100.2345", from message 100 to message 2345.
struct Passage {
  Kind kind = Kind::mess;
  MessageId from = 0;
  MessageId to = 0;

  bool operator==(const Passage&) const = default;
};
std::string format_passage(const Passage& passage);
std::optional<Passage> parse_passage(std::string_view name);

}  // namespace postern::fsck

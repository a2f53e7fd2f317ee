// Everything that stands in a queue, read once. The current directory is the queue; the queue is
// stopped, but qmail-queue may still add to it.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/error.h"
#include "fsck/queue_files.h"

namespace postern::fsck {

struct QueueFile {
  Kind kind = Kind::mess;
  std::string path{};
  MessageId number = 0;  // of the message it says it belongs to
  std::uint64_t inode = 0;
  mode_t mode = 0;  // permission bits
  uid_t uid = 0;
  std::uint64_t links = 1;
  std::int64_t read_at = 0;  // access time, by which debris is judged
  std::string fault{};       // what is wrong with an envelope's contents; empty: nothing
};

/// The files that bear one number.
struct Message {
  std::array<std::optional<QueueFile>, kind_count> files{};
  std::vector<QueueFile> doubles{};  // further files of the same kind and number

  [[nodiscard]] const std::optional<QueueFile>& file(Kind kind) const {
    return files[static_cast<std::size_t>(kind)];
  }
  [[nodiscard]] bool has(Kind kind) const { return file(kind).has_value(); }
};

struct Snapshot {
  std::map<MessageId, Message> messages{};
  std::vector<std::string> strays{};  // what is neither a message's file nor a numbered directory
  std::array<std::vector<MessageId>, kind_count> parts{};  // numbered directories of each kind
};

/// Error: a directory or file that cannot be read. A directory that is not there is an empty one.
Result<Snapshot> take_snapshot();

/// What is wrong with the contents of a file of this kind; empty: nothing, or they do not matter.
std::string fault_in(Kind kind, std::string_view contents);

}  // namespace postern::fsck

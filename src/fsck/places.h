// The queue's directories and the files in lock/: whether they are there, what they are, whose they
// are. What they should be is in scripts/layout. The current directory is the queue.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "fsck/diagnosis.h"
#include "posix/identity.h"
#include "wire/layout.h"

namespace postern::fsck {

/// A directory or lock file, as it should be.
struct Place {
  wire::LayoutEntry::Kind kind = wire::LayoutEntry::Kind::directory;
  std::string path{};  // in the queue; "." is the queue itself
  uid_t uid = 0;
  gid_t gid = 0;
  mode_t mode = 0;
  std::uint64_t size = 0;  // of a file
};

/// The two that a repair closes while the queue is in pieces: without the first nothing gets into
/// the queue, without the second qmail-send does not start.
inline constexpr const char* entrance = "pid";
inline constexpr const char* exit_lock = wire::lock_sendmutex;

/// All of them, parents first, for a queue split into `split` directories.
std::vector<Place> queue_places(MessageId split, const SuiteIds& ids);

/// What is wrong with one of them, with the mend that put_right() will be. Nothing: it is right.
Result<std::optional<Finding>> check_place(const Place& place);

/// Makes it as it should be, whatever was there before. What was there and is of another type is
/// kept in set-aside/strays. Durable when finish_repair() has synced everything.
Status put_right(const Place& place);

}  // namespace postern::fsck

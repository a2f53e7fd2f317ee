// Keeping the mail system out of its queue: for good order while it is looked at, and without
// exception while it is in pieces. The current directory is the queue.
#pragma once

#include "base/error.h"
#include "fsck/places.h"
#include "posix/clock.h"
#include "posix/fd.h"

namespace postern::fsck {

/// qmail-send's own lock, so that it cannot start. No descriptor: the file is missing, and then
/// qmail-send cannot start either. Error: qmail-send is running, and what to do about it.
Result<Fd> lock_queue();

/// From now on, and after any crash, nothing enters the queue and qmail-send does not start, until
/// open_queue(): the directory qmail-queue begins in and qmail-send's lock have no permissions.
Status close_queue(int lock);
/// Waits for those qmail-queue processes that had got past the entrance.
Status wait_for_writers(Deadline deadline);
Status open_queue(const std::vector<Place>& places);

}  // namespace postern::fsck

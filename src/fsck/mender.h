// Gives the files of a queue their right names. The current directory is the queue, which nobody
// else uses.
#pragma once

#include <vector>

#include "base/error.h"
#include "fsck/diagnosis.h"

namespace postern::fsck {

/// Whether a repair was cut short here; it is to be ended before anything else is judged.
bool is_unfinished();

/// Ends what an earlier repair had begun to put at its final place, for a queue of this split.
Status resume_placing(MessageId split);

/// Moves all files to their places, through a directory of their own, since the new number of one
/// message may be the old one of another. Killed anywhere, it is ended by resume_placing(), or by a
/// new diagnosis that reads what has been gathered.
Status move_files(const std::vector<Move>& moves, MessageId split);

/// Everything in the queue's file system reaches the disk, names and contents.
Status sync_queue();

}  // namespace postern::fsck

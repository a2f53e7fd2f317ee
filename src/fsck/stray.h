// HOME/queue/set-aside: what does not fit into the queue is kept there, never removed. The current
// directory is the queue.
#pragma once

#include <string>

#include "base/error.h"
#include "fsck/diagnosis.h"

namespace postern::fsck {

/// Makes a directory for root alone. One that is there already is used if it is root's own: the
/// queue belongs to qmailq, who might have put something else there.
Status make_private_directory(const std::string& path);

/// Moves it to set-aside/strays, under its path with dots for slashes.
Status keep_stray(const std::string& path);

/// Moves the files of a message to set-aside/<number>, with a file `why` for whoever finds them. An
/// earlier message's directory of that name is left alone, and another name taken. When this is cut
/// short, calling it again with what is left in the queue, or finish_asides(), ends it.
Status keep_message(const Aside& aside);
/// Gives the directories their final names that a cut-off keep_message() has left.
Status finish_asides();

}  // namespace postern::fsck

// maildir2mbox: the messages of a Maildir go to an mbox file, for a mail reader that knows no
// other.
#pragma once

#include <string>

#include "base/error.h"
#include "local/outcome.h"

namespace postern::local {

/// Appends every message in new and cur to the mbox, oldest first, and removes each once it is on
/// the disk there: killed in between, a message is in both, and never in neither. Failure: what
/// has not been moved is where it was.
Outcome move_maildir_to_mbox(const std::string& maildir, const std::string& mbox);

/// The program: $MAILDIR and $MAIL.
int run_maildir2mbox();

}  // namespace postern::local

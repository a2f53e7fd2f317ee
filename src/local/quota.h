// Deliveries into Maildirs with a quota, as a file maildirsize in the Maildir gives it (Maildir++).
// Format: docs/wire/maildirsize.md. It has no locks: mailboxes that many programs deliver to at one
// moment may get a few messages too many. It never costs a message: a file that cannot be read or
// makes no sense is no quota.
#pragma once

#include <string>
#include <string_view>

#include "local/maildir.h"

namespace postern::local {

/// As deliver_to_maildir(). Failure also: the mailbox is full; permanent, or temporary if
/// $QMAILQUOTA is "defer". From nine tenths on, the message in the file $QMAILQUOTAWARN is
/// delivered too, once a day.
Outcome deliver_within_quota(const std::string& directory, std::string_view head,
                             const Message& message, MaildirNames& names);

}  // namespace postern::local

// Who a process is: looking up the suite's own users, and giving up privilege for good.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace postern {

struct Identity {
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups;  // supplementary; usually none
};

/// Becomes `identity`: groups, gid, uid, in this order, and then shows that the way back is shut.
/// Refuses uid 0: nothing in the suite becomes root. async-signal-safe but for its Error.
Status become(const Identity& identity);
/// The same between fork and exec: no allocation; false with errno set.
bool become_in_child(const Identity& identity) noexcept;

constexpr std::size_t most_user_database = 16 << 20;  // bytes of /etc/passwd we are ready to read

/// The suite's own users are local, so that a static program needs no name service for them.
/// `passwd` and `group` are the text of /etc/passwd and /etc/group.
Result<Identity> find_local_user(std::string_view passwd, std::string_view name);
Result<gid_t> find_local_group(std::string_view group, std::string_view name);
/// The first name that `passwd` has for a uid.
Result<std::string> find_local_name(std::string_view passwd, uid_t uid);

/// The ids of the suite (the users and groups of qmail's installation instructions).
struct SuiteIds {
  uid_t alias = 0;     // delivers for addresses without a user
  uid_t daemon = 0;    // qmaild, runs qmail-smtpd
  uid_t log = 0;       // qmaill, runs the loggers
  uid_t password = 0;  // qmailp, looks users up
  uid_t queue = 0;     // qmailq, owns the queue
  uid_t remote = 0;    // qmailr, runs qmail-remote
  uid_t send = 0;      // qmails, runs qmail-send
  gid_t qmail = 0;     // group of qmailq, qmailr and qmails
  gid_t nofiles = 0;   // group of the others
};
/// From /etc/passwd and /etc/group at run time; a missing name is an error that says which.
Result<SuiteIds> read_suite_ids();

}  // namespace postern

// A session on its descriptors: reading with the timeout, gathering replies, closing.
#pragma once

#include <chrono>

#include "smtpd/session.h"

namespace postern::smtpd {

/// No session lasts longer, however slowly its bytes come.
inline constexpr std::chrono::hours longest_session{24};

/// Greets and serves the client on descriptors `in` and `out` until the end. The program's exit
/// code: 0 after QUIT, 1 after anything else.
int serve_client(Session& session, std::chrono::seconds timeout, int in, int out,
                 std::chrono::milliseconds longest = longest_session);

/// qmail-smtpd whole, from its arguments on: settings, services, session.
int serve_smtp(const std::vector<std::string>& arguments);

}  // namespace postern::smtpd

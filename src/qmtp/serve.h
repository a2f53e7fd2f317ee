// The loop that owns a client's connection, and the two servers that run in it.
#pragma once

#include <chrono>

#include "qmtp/session.h"

namespace postern::qmtp {

/// No connection lasts longer, whatever it does.
inline constexpr std::chrono::hours longest_session{1};

/// Feeds the session until it or the client ends. The program's exit code.
int serve(Session& session, int in, int out, std::chrono::milliseconds longest = longest_session);

/// qmail-qmtpd and qmail-qmqpd whole.
int serve_qmtp();
int serve_qmqp();

}  // namespace postern::qmtp

// The trace line that qmail-queue puts before every message (RFC 5321 4.4 in qmail's form).
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace postern::queue {

/// How the trace line names whoever called qmail-queue: "by alias", "from network" (qmaild), "for
/// bounce" (qmails), "by uid 1000". `passwd` is the text of /etc/passwd; a name that is not there
/// is nobody's.
std::string describe_invoker(uid_t uid, std::string_view passwd);

/// "Received: (qmail 4711 invoked by uid 1000); 2 Aug 2002 15:16:26 -0000" and a line feed.
std::string format_received_line(pid_t pid, std::string_view invoker, std::int64_t now);

}  // namespace postern::queue

// A session on its descriptors: reading with the timeout, gathering replies, closing.
#pragma once

#include <chrono>

#include "posix/program.h"
#include "smtpd/session.h"

namespace postern::smtpd {

/// No session lasts longer, however slowly its bytes come.
inline constexpr std::chrono::hours longest_session{24};

/// What a client may use up of us before it is sent away.
struct Patience {
  std::chrono::seconds timeout{1200};  // for each piece of input or output
  std::chrono::milliseconds session = longest_session;
  std::uint64_t command_bytes = Session::most_command_bytes;
};

/// Greets and serves the client on descriptors `in` and `out` until the end. The program's exit
/// code: 0 after QUIT, 1 after anything else.
int serve_client(Session& session, const Patience& patience, int in, int out);

/// qmail-smtpd, for start_program().
extern const Program smtpd_program;
/// Serves the client on descriptors 0 and 1 from the settings on: what `arguments`, the environment
/// and control files say now.
struct ServedClient {
  int exit_code = 0;
  bool has_seen_auth = false;  // it has said AUTH, and perhaps a password
};
ServedClient serve_smtp(const std::vector<std::string>& arguments, wire::MessageQueue& queue);

}  // namespace postern::smtpd

#include "qmtp/serve.h"

#include <csignal>

#include "control/recipient_hosts.h"
#include "posix/environment.h"
#include "posix/files.h"
#include "posix/io.h"
#include "posix/program.h"
#include "posix/server_log.h"
#include "posix/signals.h"
#include "qmtp/qmqp_session.h"
#include "qmtp/qmtp_session.h"
#include "wire/home.h"

namespace postern::qmtp {
namespace {

constexpr std::size_t piece_bytes = 65536;

int give_up(const Error& error) {
  log_warning(describe(error));
  return exit_code::temporary;
}

Result<QmtpPolicy> read_policy() {
  auto hosts = control::RecipientHosts::read();
  if (!hosts) return std::unexpected(hosts.error());
  const auto most_bytes = control::read_most_message_bytes();
  if (!most_bytes) return std::unexpected(most_bytes.error());
  return QmtpPolicy{.recipient_hosts = std::move(*hosts),
                    .relay_client = environment_variable("RELAYCLIENT"),
                    .most_bytes = *most_bytes};
}

}  // namespace

int serve(Session& session, int in, int out, std::chrono::milliseconds longest) {
  const Deadline deadline = Deadline::after(longest);
  std::string room(piece_bytes, '\0');
  for (;;) {
    const auto count = read_some(in, room, deadline);
    if (!count) return exit_code::temporary;
    if (*count == 0) return exit_code::ok;
    for (std::string_view bytes(room.data(), *count); !bytes.empty();) {
      const Answer answer = session.feed(bytes);
      if (!answer.log.empty()) log_warning(answer.log);
      if (!write_all(out, answer.text, deadline)) return exit_code::temporary;
      if (answer.exit) return *answer.exit;
    }
  }
}

int serve_qmtp() {
  ignore_signal(SIGPIPE);
  if (auto changed = change_directory(wire::home()); !changed) return give_up(changed.error());
  auto policy = read_policy();
  if (!policy) return give_up(policy.error());
  wire::QueueProgram queue;
  QmtpSession session(std::move(*policy), {.queue = queue, .now = unix_time}, wire::read_peer());
  return serve(session, 0, 1);
}

int serve_qmqp() {
  ignore_signal(SIGPIPE);
  if (auto changed = change_directory(wire::home()); !changed) return give_up(changed.error());
  wire::QueueProgram queue;
  QmqpSession session({.queue = queue, .now = unix_time}, wire::read_peer());
  return serve(session, 0, 1);
}

}  // namespace postern::qmtp

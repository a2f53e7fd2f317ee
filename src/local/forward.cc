#include "local/forward.h"

#include "wire/queue_client.h"

namespace postern::local {

std::expected<pid_t, Failure> forward_message(const Forward& forward, std::string_view head,
                                              const Message& message,
                                              const std::string& qmail_home) {
  auto queue = wire::QueueClient::open(qmail_home);
  if (!queue) return defer("Unable to fork. (#4.3.0)");
  queue->write(head);
  Message::Reader reader(message);
  for (;;) {
    const auto piece = reader.next();
    if (!piece) queue->fail();
    if (!piece || piece->empty()) break;
    queue->write(*piece);
  }
  queue->sender(forward.sender);
  for (const auto& recipient : forward.recipients) queue->recipient(recipient);
  const wire::QueueReply reply = queue->finish();
  if (reply.accepted()) return reply.qp;
  const std::string text = "Unable to forward message: " + reply.problem.substr(1) + ".";
  return std::unexpected(
      Failure{reply.permanent() ? exit_code::permanent : exit_code::temporary, text});
}

}  // namespace postern::local

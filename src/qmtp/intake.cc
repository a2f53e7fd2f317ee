#include "qmtp/intake.h"

#include "mail/smtp_received.h"

namespace postern::qmtp {

Intake::Intake(Services services, wire::Peer peer, std::string protocol, std::uint64_t most_bytes)
    : services_(std::move(services)),
      peer_(std::move(peer)),
      protocol_(std::move(protocol)),
      most_bytes_(most_bytes) {}

Status Intake::open() {
  bytes_ = 0;
  auto message = services_.queue.open();
  if (!message) return std::unexpected(message.error());
  message_ = std::move(*message);
  message_->write(mail::format_smtp_received({.remote_host = peer_.remote_host,
                                              .helo = std::nullopt,
                                              .info = peer_.remote_info,
                                              .remote_ip = peer_.remote_ip,
                                              .local = peer_.local_name,
                                              .protocol = protocol_,
                                              .seconds = services_.now()}));
  return {};
}

void Intake::write(std::string_view bytes) {
  bytes_ += bytes.size();
  if (is_too_large()) give_up();
  if (message_) message_->write(bytes);
}

void Intake::sender(std::string_view address) {
  if (message_) message_->sender(address);
}

void Intake::recipient(std::string_view address) {
  if (message_) message_->recipient(address);
}

std::string Intake::finish() {
  if (!message_) bug("a message that was given up is finished");
  const wire::QueueReply reply = message_->finish();
  message_.reset();
  if (!reply.accepted()) return reply.problem;
  return "Kok " + std::to_string(services_.now()) + " qp " + std::to_string(reply.qp);
}

}  // namespace postern::qmtp

#include "smtpd/queue_program.h"

namespace postern::smtpd {
namespace {

class QueuedMessage : public OutgoingMessage {
 public:
  explicit QueuedMessage(wire::QueueClient client) : client_(std::move(client)) {}
  void write(std::string_view bytes) override { client_.write(bytes); }
  void sender(std::string_view address) override { client_.sender(address); }
  void recipient(std::string_view address) override { client_.recipient(address); }
  wire::QueueReply finish() override { return client_.finish(); }

 private:
  wire::QueueClient client_;
};

}  // namespace

Result<std::unique_ptr<OutgoingMessage>> QueueProgram::open() {
  auto client = wire::QueueClient::open();
  if (!client) return std::unexpected(client.error());
  return std::make_unique<QueuedMessage>(std::move(*client));
}

}  // namespace postern::smtpd

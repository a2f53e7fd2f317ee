#include "wire/message_queue.h"

namespace postern::wire {
namespace {

class QueuedMessage : public OutgoingMessage {
 public:
  explicit QueuedMessage(QueueClient client) : client_(std::move(client)) {}
  void write(std::string_view bytes) override { client_.write(bytes); }
  void sender(std::string_view address) override { client_.sender(address); }
  void recipient(std::string_view address) override { client_.recipient(address); }
  QueueReply finish() override { return client_.finish(); }

 private:
  QueueClient client_;
};

}  // namespace

Result<std::unique_ptr<OutgoingMessage>> QueueProgram::open() {
  auto client = QueueClient::open(kept_);
  if (!client) return std::unexpected(client.error());
  return std::make_unique<QueuedMessage>(std::move(*client));
}

}  // namespace postern::wire

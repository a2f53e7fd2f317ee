#include "wire/queue_client.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "posix/environment.h"
#include "posix/files.h"
#include "support/temporary_directory.h"
#include "wire/envelope.h"

namespace postern::wire {
namespace {

class QueueClients : public testing::Test {
 protected:
  QueueClients() {
    std::ofstream("queue") << "#!/bin/sh\ncat >message; cat <&1 >envelope\n";
    ::chmod("queue", 0755);
    set_environment_variable("QMAILQUEUE", directory_.path() + "/queue");
  }
  static std::string text(const std::string& name) {
    return read_file(name, 64 << 20).value_or("");
  }
  test::TemporaryDirectory directory_;
};

TEST_F(QueueClients, PassPiecesOfAnySizeInTheirOrder) {
  auto client = QueueClient::open(directory_.path());
  ASSERT_TRUE(client);
  std::string message;
  for (const std::size_t size :
       {1U, 65535U, 1U, 65536U, 65537U, 200'000U, 3U, 0U, 65534U, 1U, 1U}) {
    const std::string piece(size, static_cast<char>('a' + message.size() % 26));
    client->write(piece);
    message += piece;
  }
  Envelope envelope{"a@x", {}};
  client->sender(envelope.sender);
  for (std::size_t i = 0; i < 5000; ++i) {
    envelope.recipients.push_back(std::string(i % 90 + 1, 'b') + "@y");
    client->recipient(envelope.recipients.back());
  }
  EXPECT_TRUE(client->finish().accepted());
  EXPECT_EQ(text("message"), message);
  EXPECT_EQ(text("envelope"), format_envelope(envelope));
}

}  // namespace
}  // namespace postern::wire

#include "inject/message_input.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <thread>

#include "posix/pipe.h"

namespace postern::inject {
namespace {

struct Message {
  std::vector<std::string> fields;
  std::string body;
};

// Reads a message that comes in pieces of `size` bytes.
Message read_message(const std::string& bytes, std::size_t size = 1 << 16) {
  auto pipe = make_pipe();
  std::thread writer([&] {
    for (std::size_t at = 0; at < bytes.size(); at += size) {
      (void)write_all(pipe->write.get(), std::string_view(bytes).substr(at, size));
    }
    pipe->write.reset();
  });
  Message message;
  MessageInput input(pipe->read.get());
  EXPECT_TRUE(input.read_header([&](std::string_view field) {
    message.fields.emplace_back(field);
    return Status{};
  }));
  EXPECT_TRUE(input.read_body([&](std::string_view piece) {
    message.body += piece;
    return Status{};
  }));
  writer.join();
  return message;
}

using Fields = std::vector<std::string>;

TEST(MessageInput, HasFieldsThenABody) {
  const auto message = read_message("A: b\nC: d\n e\n\tf\n\nbody\n\n.\nmore\n");
  EXPECT_EQ(message.fields, (Fields{"A: b\n", "C: d\n e\n\tf\n"}));
  EXPECT_EQ(message.body, "body\n\n.\nmore\n");
}

TEST(MessageInput, MayBeAHeaderAlone) {
  EXPECT_EQ(read_message("to: joe\n").fields, (Fields{"to: joe\n"}));
  EXPECT_EQ(read_message("to: joe").fields, (Fields{"to: joe\n"}));
  EXPECT_EQ(read_message("").fields, Fields{});
  EXPECT_EQ(read_message("").body, "");
}

TEST(MessageInput, EndsItsHeaderBeforeALineThatIsNoField) {
  const auto message = read_message("A: b\nhello\nC: d\n");
  EXPECT_EQ(message.fields, (Fields{"A: b\n"}));
  EXPECT_EQ(message.body, "hello\nC: d\n");
  EXPECT_EQ(read_message(" x: y\n").body, " x: y\n");
}

TEST(MessageInput, KeepsTheSeparatorOfAMailbox) {
  EXPECT_EQ(read_message("From joe Mon Jan 1\nA: b\n\n").fields,
            (Fields{"MBOX-Line: From joe Mon Jan 1\n", "A: b\n"}));
}

TEST(MessageInput, EndsItsLastLine) {
  EXPECT_EQ(read_message("A: b\n\nbody").body, "body\n");
  EXPECT_EQ(read_message("\nbody\n").body, "body\n");
  EXPECT_EQ(read_message("body").body, "body\n");
}

TEST(MessageInput, HasCarriageReturnsTakenAwayWhereItsFirstLineHasOne) {
  for (std::size_t size = 1; size < 12; ++size) {
    const auto message = read_message("A: b\r\nC: d\r\n e\r\n\r\nx\r\ny\r\rz\r\n\nlast\r", size);
    EXPECT_EQ(message.fields, (Fields{"A: b\n", "C: d\n e\n"})) << size;
    EXPECT_EQ(message.body, "x\ny\r\rz\n\nlast\r\n") << size;
  }
}

TEST(MessageInput, KeepsCarriageReturnsOtherwise) {
  const auto message = read_message("A: b\n\nx\r\ny\r\n");
  EXPECT_EQ(message.body, "x\r\ny\r\n");
}

TEST(MessageInput, KeepsEveryByteOfTheBody) {
  std::string body;
  for (int i = 0; i < 256 * 1000; ++i) body += static_cast<char>(i);
  EXPECT_EQ(read_message("A: b\n\n" + body + "\n").body, body + "\n");
}

TEST(MessageInput, RefusesAHeaderWithoutEnd) {
  auto pipe = make_pipe();
  std::thread writer([&] {
    const std::string line = "To: " + std::string(1 << 20, 'x') + "\n";
    for (int i = 0; i < 17; ++i) {
      if (!write_all(pipe->write.get(), line)) break;
    }
    pipe->write.reset();
  });
  MessageInput input(pipe->read.get());
  const auto read = input.read_header([](std::string_view) { return Status{}; });
  ASSERT_FALSE(read);
  EXPECT_TRUE(read.error().what.contains("header is larger than 16777216 bytes"));
  EXPECT_EQ(read.error().code, 0);
  (void)input.read_body([](std::string_view) { return Status{}; });  // lets the writer end
  writer.join();
}

TEST(MessageInput, RefusesALineWithoutEnd) {
  for (const std::size_t size : {most_header_bytes, most_header_bytes + 1}) {
    auto pipe = make_pipe();
    std::thread writer([&] {
      (void)write_all(pipe->write.get(), std::string(size, 'x'));
      pipe->write.reset();
    });
    MessageInput input(pipe->read.get());
    const auto read = input.read_header([](std::string_view) { return Status{}; });
    EXPECT_EQ(read.has_value(), size == most_header_bytes);
    writer.join();
  }
}

TEST(MessageInput, SaysWhenItCannotBeRead) {
  MessageInput input(-1);
  const auto read = input.read_header([](std::string_view) { return Status{}; });
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, EBADF);
}

}  // namespace
}  // namespace postern::inject

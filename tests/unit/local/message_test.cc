#include "local/message.h"

#include <unistd.h>

#include "posix/pipe.h"
#include "unit/local/mailbox_fixture.h"

namespace postern::local {
namespace {

class Messages : public Mailboxes {
 protected:
  static std::string all_of(const Message& message) {
    Message::Reader reader(message);
    std::string text;
    for (;;) {
      const auto piece = reader.next().value();
      if (piece.empty()) return text;
      text += piece;
    }
  }
  bool has_line(const std::string& text, std::string_view line) {
    return has_header_line(message(text), line).value();
  }
};

TEST_F(Messages, AreReadWholeWhateverTheirLength) {
  for (const std::size_t length : {0U, 1U, 65535U, 65536U, 65537U, 131072U, 200001U}) {
    std::string text;
    while (text.size() < length) text += static_cast<char>('a' + text.size() % 26);
    EXPECT_EQ(all_of(message(text)), text) << length;
  }
}

TEST_F(Messages, AreReadFromTheBeginWhereverTheDescriptorStands) {
  const auto text = message(std::string(100000, 'x'));
  ASSERT_EQ(::lseek(text.fd(), 70000, SEEK_SET), 70000);
  EXPECT_EQ(all_of(text).size(), 100000U);
  EXPECT_TRUE(text.rewind());
  EXPECT_EQ(::lseek(text.fd(), 0, SEEK_CUR), 0);
}

TEST_F(Messages, MustBeFiles) {
  const auto pipe = make_pipe().value();
  EXPECT_EQ(Message::open(pipe.read.get()).error().code, ESPIPE);
}

constexpr std::string_view mine = "Delivered-To: joe@example.org\n";

TEST_F(Messages, AreKnownByAnIdenticalHeaderLine) {
  EXPECT_TRUE(has_line("Subject: x\n" + std::string(mine) + "\nbody\n", mine));
  EXPECT_TRUE(has_line(std::string(mine), mine));
}

TEST_F(Messages, AreNotKnownByASimilarLine) {
  EXPECT_FALSE(has_line("delivered-to: joe@example.org\n\n", mine));
  EXPECT_FALSE(has_line("Delivered-To: joe@example.org \n\n", mine));
  EXPECT_FALSE(has_line("Delivered-To: joe@example.org\r\n\n", mine));
  EXPECT_FALSE(has_line("X\n Delivered-To: joe@example.org\n\n", mine));
  EXPECT_FALSE(has_line("Delivered-To: joe@example.org", mine));
}

TEST_F(Messages, AreNotKnownByTheirBody) {
  EXPECT_FALSE(has_line("Subject: x\n\n" + std::string(mine), mine));
  EXPECT_FALSE(has_line("", mine));
}

TEST_F(Messages, MayHaveEndlessHeaderLines) {
  const std::string long_line = "X: " + std::string(300000, 'x') + "\n";
  EXPECT_TRUE(has_line(long_line + std::string(mine), mine));
  EXPECT_FALSE(has_line(long_line + "\n" + std::string(mine), mine));
}

}  // namespace
}  // namespace postern::local

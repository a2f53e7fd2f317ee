#include "posix/packets.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <cstring>

#include "posix/io.h"
#include "posix/pipe.h"

namespace postern {
namespace {

TEST(Packets, ComeWholeAndOneByOne) {
  const auto [ours, theirs] = make_packet_pair().value();
  ASSERT_TRUE(send_packet(ours.get(), {"a\0b", 3}));
  ASSERT_TRUE(send_packet(ours.get(), "c"));
  const auto first = receive_packet(theirs.get(), 100).value().value();
  EXPECT_EQ(first.bytes, std::string("a\0b", 3));
  EXPECT_TRUE(first.descriptors.empty());
  EXPECT_EQ(receive_packet(theirs.get(), 100).value().value().bytes, "c");
}

TEST(Packets, BringDescriptorsAlong) {
  const auto [ours, theirs] = make_packet_pair().value();
  const auto pipe = make_pipe().value();
  const int sent[] = {pipe.read.get(), 0};
  ASSERT_TRUE(send_packet(ours.get(), "x", sent));
  const auto packet = receive_packet(theirs.get(), 100).value().value();
  ASSERT_EQ(packet.descriptors.size(), 2U);
  EXPECT_EQ(::fcntl(packet.descriptors[0].get(), F_GETFD), FD_CLOEXEC);
  ASSERT_TRUE(write_all(pipe.write.get(), "hello"));
  char text[6] = "";
  EXPECT_EQ(read_some(packet.descriptors[0].get(), {text, 5}).value(), 5U);
  EXPECT_STREQ(text, "hello");
}

// What does not fit into the room for two stays with the kernel, which closes it.
TEST(Packets, BringNoMoreDescriptorsThanThereIsRoomFor) {
  const auto [ours, theirs] = make_packet_pair().value();
  const int fds[most_packet_descriptors + 1] = {0, 1, 2, 0};
  char byte = 'x';
  iovec piece{&byte, 1};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof fds)] = {};
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof fds);
  std::memcpy(CMSG_DATA(header), fds, sizeof fds);
  ASSERT_EQ(::sendmsg(ours.get(), &message, 0), 1);

  const int next = Fd(::dup(0)).get();
  {
    const auto packet = receive_packet(theirs.get(), 100).value().value();
    EXPECT_EQ(packet.descriptors.size(), most_packet_descriptors);
  }
  EXPECT_EQ(Fd(::dup(0)).get(), next) << "a descriptor stayed open";
}

TEST(Packets, TellTheEndOfTheOtherSide) {
  auto [ours, theirs] = make_packet_pair().value();
  ours.reset();
  EXPECT_FALSE(receive_packet(theirs.get(), 100).value());
  EXPECT_EQ(send_packet(theirs.get(), "x").error().code, EPIPE);
}

// Whatever the other side has left unread, it will send nothing any more.
TEST(Packets, TellTheEndOfAnotherSideThatDidNotListen) {
  auto [ours, theirs] = make_packet_pair().value();
  ASSERT_TRUE(send_packet(theirs.get(), "x"));
  ours.reset();
  const auto packet = receive_packet(theirs.get(), 100);
  ASSERT_TRUE(packet) << packet.error().what;
  EXPECT_FALSE(*packet);
}

TEST(Packets, AreRefusedWhenTooLong) {
  const auto [ours, theirs] = make_packet_pair().value();
  ASSERT_TRUE(send_packet(ours.get(), "12345"));
  EXPECT_EQ(receive_packet(theirs.get(), 4).error().code, EMSGSIZE);
}

TEST(Packets, AreNotWaitedForByTheSender) {
  const auto [ours, theirs] = make_packet_pair().value();
  Status sent;
  for (int i = 0; sent && i < 100000; ++i) sent = send_packet(ours.get(), "x");
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error().code, EAGAIN);
}

}  // namespace
}  // namespace postern

#include "posix/packets.h"

#include <sys/socket.h>

#include <cstring>

#include "posix/buffer.h"

namespace postern {
namespace {

// Room for one descriptor's control message, aligned as it has to be. What CMSG_SPACE adds for the
// alignment would hold a second descriptor, which nobody closes: only CMSG_LEN of it is offered.
union Control {
  cmsghdr header;
  char bytes[CMSG_SPACE(sizeof(int))];
};

Fd take_descriptor(msghdr& message) {
  const cmsghdr* header = CMSG_FIRSTHDR(&message);
  if (header == nullptr || header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) {
    return {};
  }
  int fd = -1;
  std::memcpy(&fd, CMSG_DATA(header), sizeof fd);
  return Fd(fd);
}

}  // namespace

Result<PacketPair> make_packet_pair() {
  int fds[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) != 0) {
    return system_failure("unable to make a pair of sockets");
  }
  return PacketPair{Fd(fds[0]), Fd(fds[1])};
}

Status send_packet(int socket, std::string_view bytes, int descriptor) {
  iovec piece{.iov_base = const_cast<char*>(bytes.data()), .iov_len = bytes.size()};
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  Control control{};
  if (descriptor >= 0) {
    message.msg_control = control.bytes;
    message.msg_controllen = CMSG_LEN(sizeof(int));
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof descriptor);
    std::memcpy(CMSG_DATA(header), &descriptor, sizeof descriptor);
  }
  while (::sendmsg(socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL) < 0) {
    if (errno != EINTR) return system_failure("unable to send a packet");
  }
  return {};
}

Result<std::optional<Packet>> receive_packet(int socket, std::size_t most) {
  Packet packet;
  make_room(packet.bytes, most);
  iovec piece{.iov_base = packet.bytes.data(), .iov_len = packet.bytes.size()};
  Control control{};
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  message.msg_control = control.bytes;
  message.msg_controllen = CMSG_LEN(sizeof(int));
  ssize_t count = -1;
  while ((count = ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC)) < 0) {
    if (errno != EINTR) return system_failure("unable to receive a packet");
  }
  packet.descriptor = take_descriptor(message);
  if (count == 0) return std::nullopt;
  if ((message.msg_flags & MSG_TRUNC) != 0) return failure("a packet is too long", EMSGSIZE);
  packet.bytes.resize(static_cast<std::size_t>(count));
  return packet;
}

}  // namespace postern

#include "posix/packets.h"

#include <sys/socket.h>

#include <cstring>

#include "posix/buffer.h"

namespace postern {
namespace {

constexpr std::size_t descriptor_bytes(std::size_t count) { return count * sizeof(int); }

// Room for the control message that carries descriptors, aligned as it has to be. Not a byte more
// than CMSG_LEN is offered to the kernel: what CMSG_SPACE may add would hold another descriptor,
// which nobody would close.
union Control {
  cmsghdr header;
  char bytes[CMSG_SPACE(descriptor_bytes(most_packet_descriptors))];
};

std::vector<Fd> take_descriptors(msghdr& message) {
  std::vector<Fd> taken;
  const cmsghdr* header = CMSG_FIRSTHDR(&message);
  if (header == nullptr || header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) {
    return taken;
  }
  int fds[most_packet_descriptors];
  const std::size_t bytes = header->cmsg_len - CMSG_LEN(0);
  std::memcpy(fds, CMSG_DATA(header), bytes);
  for (const int fd : std::span(fds).first(bytes / sizeof(int))) taken.emplace_back(fd);
  return taken;
}

}  // namespace

Result<PacketPair> make_packet_pair() {
  int fds[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) != 0) {
    return system_failure("unable to make a pair of sockets");
  }
  return PacketPair{Fd(fds[0]), Fd(fds[1])};
}

Status send_packet(int socket, std::string_view bytes, std::span<const int> descriptors) {
  if (descriptors.size() > most_packet_descriptors) bug("too many descriptors for a packet");
  iovec piece{.iov_base = const_cast<char*>(bytes.data()), .iov_len = bytes.size()};
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  Control control{};
  if (!descriptors.empty()) {
    message.msg_control = control.bytes;
    message.msg_controllen = CMSG_LEN(descriptors.size_bytes());
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(descriptors.size_bytes());
    std::memcpy(CMSG_DATA(header), descriptors.data(), descriptors.size_bytes());
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
  message.msg_controllen = CMSG_LEN(descriptor_bytes(most_packet_descriptors));
  ssize_t count = -1;
  while ((count = ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC)) < 0) {
    // Closed with something of ours unread: the end, as well.
    if (errno == ECONNRESET) return std::nullopt;
    if (errno != EINTR) return system_failure("unable to receive a packet");
  }
  packet.descriptors = take_descriptors(message);
  if (count == 0) return std::nullopt;
  if ((message.msg_flags & MSG_TRUNC) != 0) return failure("a packet is too long", EMSGSIZE);
  packet.bytes.resize(static_cast<std::size_t>(count));
  return packet;
}

}  // namespace postern

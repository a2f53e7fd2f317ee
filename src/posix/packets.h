// A connected pair of sockets that carries packets: each is received whole or not at all, and can
// bring open descriptors along.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "posix/fd.h"

namespace postern {

struct PacketPair {
  Fd ours;
  Fd theirs;
};
/// Close-on-exec at both ends.
Result<PacketPair> make_packet_pair();

struct Packet {
  std::string bytes;
  std::vector<Fd> descriptors;  // that came along; close-on-exec
};
/// The most descriptors that a packet brings.
inline constexpr std::size_t most_packet_descriptors = 3;

/// Never blocks and never raises SIGPIPE. Error EPIPE when the other end has gone, EAGAIN when it
/// does not read, EMSGSIZE when the packet is too large. Copies of `descriptors` go along.
Status send_packet(int socket, std::string_view bytes, std::span<const int> descriptors = {});
/// Waits for the next packet. Nothing when the other end has gone. Error EMSGSIZE for a packet
/// longer than `most` bytes, which is lost. For senders that are trusted: closing a descriptor from
/// anybody else may block. read_some() takes a packet without them.
Result<std::optional<Packet>> receive_packet(int socket, std::size_t most);

}  // namespace postern

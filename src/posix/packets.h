// A connected pair of sockets that carries packets: each is received whole or not at all, and can
// bring an open descriptor along.
#pragma once

#include <optional>
#include <string>
#include <string_view>

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
  Fd descriptor;  // if one came along; close-on-exec
};

/// Never blocks and never raises SIGPIPE. Error EPIPE when the other end has gone, EAGAIN when it
/// does not read, EMSGSIZE when the packet is too large. With a `descriptor` a copy goes along.
Status send_packet(int socket, std::string_view bytes, int descriptor = -1);
/// Waits for the next packet. Nothing when the other end has gone. Error EMSGSIZE for a packet
/// longer than `most` bytes, which is lost. For senders that are trusted: closing a descriptor from
/// anybody else may block. read_some() takes a packet without one.
Result<std::optional<Packet>> receive_packet(int socket, std::size_t most);

}  // namespace postern

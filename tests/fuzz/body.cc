// A message on its way out (remote/body) and in (smtpd/data_decoder): what one writes the other
// reads, nothing else ends it, and neither cares where the bytes are cut.
#include "remote/body.h"
#include "fuzz/support/input.h"
#include "smtpd/data_decoder.h"

namespace postern::fuzz {
namespace {

using smtpd::DataDecoder;

// As a queued message goes out: CR LF is a line's end, any other CR a blank.
std::string expected(std::string_view message) {
  std::string text;
  for (std::size_t i = 0; i < message.size(); ++i) {
    if (message[i] != '\r') {
      text += message[i];
    } else if (i + 1 < message.size() && message[i + 1] != '\n') {
      text += ' ';
    }
  }
  return text;
}

void outgoing(std::string_view message) {
  remote::BodyEncoder whole;
  remote::BodyEncoder pieced;
  std::string wire;
  std::string again;
  whole.encode(message, wire);
  in_pieces(message, [&](std::string_view piece) { pieced.encode(piece, again); });
  require(wire == again && whole.at_line_start() == pieced.at_line_start(),
          "a body is the same in pieces");
  for (std::string_view rest = wire; !rest.empty();) {
    const std::size_t end = std::min(rest.find("\r\n"), rest.size());
    const std::string_view line = rest.substr(0, end);
    require(line.find_first_of("\r\n") == line.npos, "lines end in CR LF and nothing else");
    require(!line.starts_with('.') || line.starts_with(".."), "every dot is stuffed");
    rest.remove_prefix(std::min(end + 2, rest.size()));
  }
  if (!whole.at_line_start()) return;
  wire += remote::end_of_message;
  std::string decoded;
  const auto [bytes, state] = DataDecoder().feed(wire, decoded);
  require(state == DataDecoder::State::complete && bytes == wire.size(), "it ends where we end it");
  require(decoded == expected(message), "it arrives as it left");
}

void incoming(std::string_view bytes) {
  std::string whole;
  const auto taken = DataDecoder().feed(bytes, whole);
  require(whole.size() <= bytes.size() + 2, "a message does not grow");
  DataDecoder decoder;
  std::string pieced;
  std::size_t used = 0;
  auto state = DataDecoder::State::unfinished;
  in_pieces(bytes, [&](std::string_view piece) {
    if (state != DataDecoder::State::unfinished) return;
    const auto part = decoder.feed(piece, pieced);
    used += part.bytes;
    state = part.state;
  });
  require(state == taken.state && used == taken.bytes && pieced == whole,
          "a message is the same in pieces");
  smtpd::HopCounter hops;
  smtpd::HopCounter pieced_hops;
  hops.feed(whole);
  in_pieces(whole, [&](std::string_view piece) { pieced_hops.feed(piece); });
  require(hops.looping() == pieced_hops.looping(), "hops are the same in pieces");
}

}  // namespace

void try_input(Input input) {
  outgoing(input.rest());
  incoming(input.rest());
}

}  // namespace postern::fuzz

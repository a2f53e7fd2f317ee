// Only CR LF ends a line, and only CR LF dot CR LF ends the message. A server that takes anything
// less for the end (LF dot LF, LF dot CR LF, CR dot CR, a NUL beside the dot) reads commands where
// another server on the way read text, and a stranger's message becomes two, the second with a
// sender of his choice. So a LF without CR ends the connection, as qmail does, and a CR without LF
// is data like any other byte.
#include "smtpd/data_decoder.h"

#include "base/ascii.h"

namespace postern::smtpd {

DataDecoder::State DataDecoder::step(char c, std::string& message) {
  if (c == '\n' && at_ != At::after_cr && at_ != At::after_dot_cr) return State::bare_lf;
  switch (at_) {
    case At::after_dot_cr:
      if (c == '\n') return State::complete;
      message += ".\r";  // only the exact line "." loses its dot and ends here
      break;
    case At::after_dot:
      // Of every other line that begins with a dot, the dot was the client's stuffing.
      at_ = c == '\r' ? At::after_dot_cr : At::in_line;
      if (c != '\r') message += c;
      return State::unfinished;
    case At::after_cr:
      if (c != '\n') message += '\r';
      break;
    case At::line_start:
      if (c == '.') {
        at_ = At::after_dot;
        return State::unfinished;
      }
      break;
    case At::in_line:
      break;
  }
  if (c == '\r') {
    at_ = At::after_cr;
    return State::unfinished;
  }
  message += c;
  at_ = c == '\n' ? At::line_start : At::in_line;
  return State::unfinished;
}

DataDecoder::Taken DataDecoder::feed(std::string_view bytes, std::string& message) {
  std::size_t i = 0;
  while (i < bytes.size()) {
    if (at_ == At::in_line) {  // most bytes are here: take all up to the line's end at once
      const std::size_t end = std::min(bytes.find_first_of("\r\n", i), bytes.size());
      message += bytes.substr(i, end - i);
      i = end;
      if (i == bytes.size()) break;
    }
    const State state = step(bytes[i++], message);
    if (state != State::unfinished) return {i, state};
  }
  return {i, State::unfinished};
}

void HopCounter::step(char c) {
  constexpr std::string_view received = "received";
  constexpr std::string_view delivered = "delivered";
  if (c == '\n') {
    if (column_ == 0) in_header_ = false;
    received_ = delivered_ = true;
    column_ = 0;
    return;
  }
  const char small = to_lower(c);
  received_ = received_ && column_ < received.size() && small == received[column_];
  delivered_ = delivered_ && column_ < delivered.size() && small == delivered[column_];
  ++column_;
  if (received_ && column_ == received.size()) ++hops_;
  if (delivered_ && column_ == delivered.size()) ++hops_;
}

void HopCounter::feed(std::string_view message) {
  for (std::size_t i = 0; in_header_ && i < message.size(); ++i) {
    if (message[i] != '\n' && !received_ && !delivered_) {  // nothing to see before the next line
      i = std::min(message.find('\n', i), message.size());
      if (i == message.size()) return;
    }
    step(message[i]);
  }
}

}  // namespace postern::smtpd

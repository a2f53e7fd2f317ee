// What a client sends after DATA, turned into the message (RFC 5321 4.5.2): lines end in LF, the
// dot before a dot is gone. Also what is counted on the way: hops.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace postern::smtpd {

class DataDecoder {
 public:
  enum class State {
    unfinished,  // more bytes are needed
    complete,    // CR LF dot CR LF has been seen
    bare_lf,     // a LF without its CR: nothing after it can be trusted
  };
  struct Taken {
    std::size_t bytes;  // consumed of the input; what follows is the next command
    State state;
  };
  /// Decodes up to the end of the message, a bare LF, or the end of `bytes`, appending to
  /// `message`, which grows by at most bytes.size() + 2.
  Taken feed(std::string_view bytes, std::string& message);

 private:
  enum class At { line_start, in_line, after_cr, after_dot, after_dot_cr };
  State step(char c, std::string& message);
  At at_ = At::line_start;
};

/// Counts the header lines that begin with "Received" or "Delivered", in any case.
class HopCounter {
 public:
  /// A message that has passed this many hosts is in a loop.
  static constexpr int most = 100;

  /// Takes the next piece of the message, as the decoder gives it.
  void feed(std::string_view message);
  [[nodiscard]] bool looping() const { return hops_ >= most; }

 private:
  void step(char c);
  bool in_header_ = true;
  bool received_ = true;   // the line may still turn out to begin with "received"
  bool delivered_ = true;  // the same with "delivered"
  std::size_t column_ = 0;
  int hops_ = 0;
};

}  // namespace postern::smtpd

// Command lines from a client that may be slow, silent or malicious.
#pragma once

#include <chrono>
#include <string>

#include "posix/io.h"

namespace postern::pop3 {

/// How long a client may say nothing: twice what RFC 1939 asks for at least.
inline constexpr std::chrono::seconds longest_silence{1200};

class LineInput {
 public:
  /// Longest line taken, in bytes without its end. No checker takes more than 512.
  static constexpr std::size_t most_line_bytes = 1024;

  struct Limits {
    std::chrono::milliseconds silence = longest_silence;
    std::chrono::milliseconds session{};  // no session lasts longer, however slowly bytes come
  };
  /// Reads at most `chunk` bytes at a time. Replies in `output` are sent before a wait, and not
  /// earlier: commands that come in one go are answered in one go. Borrows `output`.
  LineInput(int fd, BufferedOutput& output, Limits limits,
            std::size_t chunk = BufferedInput::default_size)
      : input_(fd, limits.silence, chunk),
        output_(output),
        latest_end_(Deadline::after(limits.session)) {}

  enum class Got {
    line,
    too_long,  // its bytes are gone
    nothing,   // the client has left, perhaps in the middle of a line, or is too slow
  };
  /// The next line, without its LF.
  Got next(std::string& line);

 private:
  bool wait();

  BufferedInput input_;
  BufferedOutput& output_;
  Deadline latest_end_;
};

}  // namespace postern::pop3

// Reading and writing descriptors, with deadlines. Interrupted calls are repeated; short writes
// are continued; a deadline that passes is Error{.code = ETIMEDOUT}; end of file is zero bytes.
#pragma once

#include <chrono>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"
#include "posix/clock.h"
#include "posix/fd.h"

namespace postern {

/// Waits until `fd` can be read (POLLIN) or written (POLLOUT), or has failed.
Status wait_for(int fd, short events, Deadline deadline);

/// At most buffer.size() bytes; 0 at the end of the file.
Result<std::size_t> read_some(int fd, std::span<char> buffer,
                              Deadline deadline = Deadline::never());

/// Fills the buffer, however short the reads are: fewer bytes only at the end of the file.
Result<std::size_t> read_full(int fd, std::span<char> buffer);

/// All of `bytes`. A peer that has gone is EPIPE, never a signal where the program ignores SIGPIPE.
/// With a deadline, never blocks past it, whether or not the descriptor is non-blocking.
Status write_all(int fd, std::string_view bytes, Deadline deadline = Deadline::never());

/// Everything up to the end of the file. Error EFBIG when there is more than `most` bytes.
Result<std::string> read_to_end(int fd, std::size_t most, Deadline deadline = Deadline::never());

/// Buffered reading of a stream, a page or more at a time.
class BufferedInput {
 public:
  static constexpr std::size_t default_size = 16384;
  /// Every single read may take `timeout`; the negative default waits for ever. Borrows `fd`.
  explicit BufferedInput(int fd, std::chrono::milliseconds timeout = std::chrono::milliseconds{-1},
                         std::size_t size = default_size);

  /// Bytes that have been read and not consumed; reads when there are none. Empty: end of file.
  Result<std::string_view> peek();
  /// What peek() would give without reading.
  [[nodiscard]] std::string_view buffered() const {
    return std::string_view(buffer_).substr(start_, end_ - start_);
  }
  /// Takes the first `count` bytes of buffered() away.
  void consume(std::size_t count);
  /// Forgets what has been read and not consumed (what STARTTLS asks for).
  void discard() { start_ = end_ = 0; }
  /// From now on reads from another descriptor, as after STARTTLS.
  void switch_to(int fd) { fd_ = fd; }

  enum class Line { whole, too_long, end_of_file };
  /// Reads up to and including the next LF; the LF is not put into `line`. `too_long`: the line has
  /// more than `most` bytes; all of it is consumed and `line` holds its first `most` bytes; it may
  /// be the last one, without a LF. `end_of_file`: the stream ended; `line` holds all that came
  /// after the last LF.
  Result<Line> read_line(std::string& line, std::size_t most);

 private:
  int fd_;
  std::chrono::milliseconds timeout_;
  std::string buffer_;
  std::size_t start_ = 0;
  std::size_t end_ = 0;
};

/// Buffered writing: one system call for many small pieces. Nothing is written by the destructor.
class BufferedOutput {
 public:
  explicit BufferedOutput(int fd, std::chrono::milliseconds timeout = std::chrono::milliseconds{-1},
                          std::size_t size = 65536)
      : fd_(fd), timeout_(timeout), size_(size) {}
  Status put(std::string_view bytes);
  Status flush();
  void switch_to(int fd) { fd_ = fd; }

 private:
  int fd_;
  std::chrono::milliseconds timeout_;
  std::size_t size_;
  std::string buffer_;
};

}  // namespace postern

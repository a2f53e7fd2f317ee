#include "posix/io.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <climits>

#include "posix/buffer.h"

namespace postern {
namespace {

Deadline deadline_in(std::chrono::milliseconds timeout) {
  return timeout.count() < 0 ? Deadline::never() : Deadline::after(timeout);
}

bool would_block(int code) { return code == EAGAIN || code == EWOULDBLOCK; }

// One write that does not block past the deadline, although the descriptor may be a blocking one:
// a socket takes what fits; a pipe that poll() calls writable takes PIPE_BUF bytes whole.
Result<std::size_t> write_some(int fd, std::string_view bytes, Deadline deadline) {
  for (;;) {
    ssize_t count = ::send(fd, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (count < 0 && errno == ENOTSOCK) {
      if (auto ready = wait_for(fd, POLLOUT, deadline); !ready) {
        return std::unexpected(ready.error());
      }
      count = ::write(fd, bytes.data(), std::min<std::size_t>(bytes.size(), PIPE_BUF));
    }
    if (count >= 0) return static_cast<std::size_t>(count);
    if (would_block(errno)) {
      if (auto ready = wait_for(fd, POLLOUT, deadline); !ready) {
        return std::unexpected(ready.error());
      }
    } else if (errno != EINTR) {
      return system_failure("unable to write");
    }
  }
}

// As write_some(), for as long as it takes.
Result<std::size_t> write_some(int fd, std::string_view bytes) {
  for (;;) {
    const ssize_t count = ::write(fd, bytes.data(), bytes.size());
    if (count >= 0) return static_cast<std::size_t>(count);
    if (would_block(errno)) {
      if (auto ready = wait_for(fd, POLLOUT, Deadline::never()); !ready) {
        return std::unexpected(ready.error());
      }
    } else if (errno != EINTR) {
      return system_failure("unable to write");
    }
  }
}

}  // namespace

Status wait_for(int fd, short events, Deadline deadline) {
  pollfd item{fd, events, 0};
  for (;;) {
    const int ready = ::poll(&item, 1, deadline.poll_timeout());
    if (ready > 0) return {};
    if (ready == 0) return failure("timed out", ETIMEDOUT);
    if (errno != EINTR) return system_failure("unable to poll");
  }
}

Result<std::size_t> read_some(int fd, std::span<char> buffer, Deadline deadline) {
  for (;;) {
    if (deadline.poll_timeout() >= 0) {
      if (auto ready = wait_for(fd, POLLIN, deadline); !ready)
        return std::unexpected(ready.error());
    }
    const ssize_t count = ::read(fd, buffer.data(), buffer.size());
    if (count >= 0) return static_cast<std::size_t>(count);
    if (would_block(errno)) {
      if (auto ready = wait_for(fd, POLLIN, deadline); !ready)
        return std::unexpected(ready.error());
    } else if (errno != EINTR) {
      return system_failure("unable to read");
    }
  }
}

Result<std::size_t> read_full(int fd, std::span<char> buffer) {
  std::size_t used = 0;
  while (used < buffer.size()) {
    const auto count = read_some(fd, buffer.subspan(used));
    if (!count) return count;
    if (*count == 0) break;
    used += *count;
  }
  return used;
}

Status write_all(int fd, std::string_view bytes, Deadline deadline) {
  const bool limited = deadline.poll_timeout() >= 0;
  while (!bytes.empty()) {
    const auto count = limited ? write_some(fd, bytes, deadline) : write_some(fd, bytes);
    if (!count) return std::unexpected(count.error());
    bytes.remove_prefix(*count);
  }
  return {};
}

Result<std::string> read_to_end(int fd, std::size_t most, Deadline deadline) {
  std::string text;
  char chunk[4096];  // most files have less, and what stands on the stack is touched whole
  for (;;) {
    const auto count = read_some(fd, chunk, deadline);
    if (!count) return std::unexpected(count.error());
    if (*count == 0) return text;
    if (*count > most - text.size()) return failure("too long", EFBIG);
    text.append(chunk, *count);
  }
}

BufferedInput::BufferedInput(int fd, std::chrono::milliseconds timeout, std::size_t size)
    : fd_(fd), timeout_(timeout) {
  make_room(buffer_, size);
}

Result<std::string_view> BufferedInput::peek() {
  if (start_ == end_) {
    const auto count = read_some(fd_, buffer_, deadline_in(timeout_));
    if (!count) return std::unexpected(count.error());
    start_ = 0;
    end_ = *count;
  }
  return buffered();
}

void BufferedInput::consume(std::size_t count) {
  if (count > end_ - start_) bug("more consumed than was read");
  start_ += count;
}

Result<BufferedInput::Line> BufferedInput::read_line(std::string& line, std::size_t most) {
  line.clear();
  bool too_long = false;
  for (;;) {
    const auto bytes = peek();
    if (!bytes) return std::unexpected(bytes.error());
    if (bytes->empty()) return too_long ? Line::too_long : Line::end_of_file;
    const std::size_t end = bytes->find('\n');
    const std::string_view part = bytes->substr(0, end);
    too_long = too_long || part.size() > most - line.size();
    line += part.substr(0, most - line.size());
    consume(end == std::string_view::npos ? part.size() : end + 1);
    if (end != std::string_view::npos) return too_long ? Line::too_long : Line::whole;
  }
}

Status BufferedOutput::put(std::string_view bytes) {
  buffer_ += bytes;
  return buffer_.size() < size_ ? Status{} : flush();
}

Status BufferedOutput::flush() {
  if (buffer_.empty()) return {};
  auto written = write_all(fd_, buffer_, deadline_in(timeout_));
  buffer_.clear();
  return written;
}

}  // namespace postern

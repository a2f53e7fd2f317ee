#include "send/link.h"

#include <unistd.h>

#include <cerrno>

#include "posix/pipe.h"

namespace postern::send {
namespace {

constexpr std::size_t piece_bytes = 8192;

bool means_not_now(int code) { return code == EAGAIN || code == EWOULDBLOCK || code == EINTR; }

}  // namespace

Result<Link> Link::open(Fd to, Fd from) {
  for (const int fd : {to.get(), from.get()}) {
    if (auto done = set_nonblocking(fd); !done) return std::unexpected(done.error());
  }
  return Link(std::move(to), std::move(from));
}

std::size_t Link::write(std::string_view bytes) {
  if (lost_ || bytes.empty()) return 0;
  const ssize_t count = ::write(to_.get(), bytes.data(), bytes.size());
  if (count >= 0) return static_cast<std::size_t>(count);
  lost_ = !means_not_now(errno);
  return 0;
}

std::string Link::read() {
  if (lost_) return {};
  char piece[piece_bytes];
  const ssize_t count = ::read(from_.get(), piece, sizeof piece);
  lost_ = count == 0 || (count < 0 && !means_not_now(errno));
  return {piece, count > 0 ? static_cast<std::size_t>(count) : 0};
}

}  // namespace postern::send

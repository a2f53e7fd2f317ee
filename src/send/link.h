// The two pipes between qmail-send and a process that takes orders from it. Neither direction ever
// makes it wait.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "posix/fd.h"

namespace postern::send {

class Link {
 public:
  /// Makes both ends of ours non-blocking.
  static Result<Link> open(Fd to, Fd from);

  /// Writes what the pipe takes; the number of bytes. Sets lost() when the peer has gone.
  std::size_t write(std::string_view bytes);
  /// What has come; empty when nothing has. Sets lost() when the peer has gone.
  std::string read();
  [[nodiscard]] bool lost() const { return lost_; }

  [[nodiscard]] int to() const { return to_.get(); }
  [[nodiscard]] int from() const { return from_.get(); }

 private:
  Link(Fd to, Fd from) : to_(std::move(to)), from_(std::move(from)) {}
  Fd to_;
  Fd from_;
  bool lost_ = false;
};

}  // namespace postern::send

// A message and its envelope as a QMQP package, kept in a file without a name, because its length
// comes first on the wire and may not fit into memory.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "posix/fd.h"

namespace postern::qmtp {

class PackageFile {
 public:
  static Result<PackageFile> create();

  /// The message first, then the addresses, sender first.
  Status add_message(std::string_view bytes);
  Status add_address(std::string_view address);
  Status flush();
  /// Of the package without its own length and comma.
  [[nodiscard]] std::uint64_t length() const;
  /// The whole package in pieces, as often as needed. Error: the file, or what `put` says.
  Status send(const std::function<Status(std::string_view)>& put) const;

 private:
  explicit PackageFile(Fd fd) : fd_(std::move(fd)) {}
  Status add(std::string_view bytes);
  Status send_part(const std::function<Status(std::string_view)>& put, std::uint64_t begin,
                   std::uint64_t end) const;
  [[nodiscard]] std::string message_head() const { return std::to_string(message_bytes_) + ":"; }

  Fd fd_;
  std::string buffer_;
  std::uint64_t bytes_ = 0;  // message and addresses, the message without its length and comma
  std::uint64_t message_bytes_ = 0;
};

}  // namespace postern::qmtp

// Reads the records of a local or remote file piece by piece. Format: docs/wire/queue.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "wire/envelope.h"

namespace postern::send {

class RecipientReader {
 public:
  /// Longest record understood, in bytes: an address of qmail-queue's length with the prefix and
  /// the host name that control files may add.
  static constexpr std::size_t most_record_bytes = 131072;

  struct Recipient {
    std::string address;
    std::uint64_t offset = 0;  // of the record's letter in the file
  };

  /// More of the file.
  void feed(std::string_view bytes);
  /// The file has no more.
  void end() { ended_ = true; }

  /// The next recipient that is not done. Nothing: see at_end(); if false, feed() is wanted.
  /// Error: an unknown letter, a file that ends within a record, a record without end.
  Result<std::optional<Recipient>> next();
  /// No recipient is left to be read, neither here nor in the file.
  [[nodiscard]] bool at_end() const { return ended_ && used_ == buffer_.size(); }

 private:
  std::string buffer_;
  std::size_t used_ = 0;      // of buffer_
  std::uint64_t offset_ = 0;  // where the unused part begins in the file
  bool ended_ = false;
};

}  // namespace postern::send

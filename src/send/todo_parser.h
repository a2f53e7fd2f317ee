// Reads a todo file piece by piece, so that a message to any number of recipients takes no more
// memory than its longest address. Format: docs/wire/queue.md.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "wire/envelope.h"

namespace postern::send {

class TodoParser {
 public:
  enum class Problem { none, unknown_record, cut_short };

  /// Handles every whole record of `bytes` and keeps the rest for the next call. Each recipient is
  /// given to `on_recipient`. False: something is wrong with the file, see problem().
  bool feed(std::string_view bytes, const std::function<void(std::string_view)>& on_recipient);
  /// To be called at the end of the file. False: it ended within a record, or before its sender.
  bool finish();

  [[nodiscard]] Problem problem() const { return problem_; }
  [[nodiscard]] const std::string& sender() const { return *sender_; }
  [[nodiscard]] std::size_t recipients() const { return recipients_; }
  [[nodiscard]] std::uint64_t uid() const { return uid_; }
  [[nodiscard]] std::uint64_t pid() const { return pid_; }

 private:
  bool take(char letter, std::string_view text,
            const std::function<void(std::string_view)>& on_recipient);

  std::string rest_;  // a record whose end has not come yet
  std::optional<std::string> sender_;
  std::size_t recipients_ = 0;
  std::uint64_t uid_ = 0;
  std::uint64_t pid_ = 0;
  Problem problem_ = Problem::none;
};

}  // namespace postern::send

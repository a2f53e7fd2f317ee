// qmail-send's side of qmail-clean: orders wait here, and are sent strictly one after another, each
// when the last has been answered. Format: docs/wire/clean.md.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "wire/clean_order.h"

namespace postern::send {

class Cleaner {
 public:
  struct Answer {
    wire::CleanOrder order;
    bool done = false;  // the files are gone
  };

  void add(const wire::CleanOrder& order) { waiting_.push_back(order); }
  /// Nothing waits and nothing is being done: what the directories show now is still true when an
  /// order given now is carried out.
  [[nodiscard]] bool idle() const { return !current_ && waiting_.empty(); }
  [[nodiscard]] std::size_t waiting() const { return waiting_.size(); }

  /// The bytes to write now; wrote() says how many have been.
  std::string_view to_write();
  void wrote(std::size_t count) { text_.erase(0, count); }
  /// What has come from qmail-clean. A byte that nobody asked for is ignored.
  std::vector<Answer> feed(std::string_view bytes);

 private:
  std::deque<wire::CleanOrder> waiting_;
  std::optional<wire::CleanOrder> current_;  // sent, or being sent
  std::string text_;                         // what is unsent of it
};

}  // namespace postern::send

#include "send/cleaner.h"

namespace postern::send {

std::string_view Cleaner::to_write() {
  if (!current_ && !waiting_.empty()) {
    current_ = waiting_.front();
    waiting_.pop_front();
    text_ = wire::format_clean_order(*current_);
  }
  return text_;
}

std::vector<Cleaner::Answer> Cleaner::feed(std::string_view bytes) {
  std::vector<Answer> answers;
  for (const char byte : bytes) {
    if (!current_ || !text_.empty()) continue;
    answers.push_back({*current_, byte == static_cast<char>(wire::CleanReply::done)});
    current_.reset();
  }
  return answers;
}

}  // namespace postern::send

#include "send/todo_parser.h"

#include "base/integers.h"

namespace postern::send {

bool TodoParser::feed(std::string_view bytes,
                      const std::function<void(std::string_view)>& on_recipient) {
  while (problem_ == Problem::none && !bytes.empty()) {
    const std::size_t end = bytes.find('\0');
    const std::string_view part = bytes.substr(0, end);
    if (rest_.size() + part.size() > wire::most_address_bytes + 1) {
      problem_ = Problem::unknown_record;  // qmail-queue writes no such address
    } else if (end == std::string_view::npos) {
      rest_ += part;
      break;
    } else if (rest_.empty()) {
      // The usual case, without a copy. An empty record has no letter.
      if (part.empty() || !take(part.front(), part.substr(1), on_recipient)) {
        problem_ = Problem::unknown_record;
      }
    } else {
      rest_ += part;
      if (!take(rest_.front(), std::string_view(rest_).substr(1), on_recipient)) {
        problem_ = Problem::unknown_record;
      }
      rest_.clear();
    }
    bytes.remove_prefix(end == std::string_view::npos ? bytes.size() : end + 1);
  }
  return problem_ == Problem::none;
}

bool TodoParser::take(char letter, std::string_view text,
                      const std::function<void(std::string_view)>& on_recipient) {
  if (letter == 'F') {
    sender_ = text;
    return true;
  }
  if (letter == wire::letter_to_do) {
    ++recipients_;
    on_recipient(text);
    return true;
  }
  if (letter != 'u' && letter != 'p') return false;
  const auto number = parse_decimal(text);
  if (number) (letter == 'u' ? uid_ : pid_) = *number;
  return number.has_value();
}

bool TodoParser::finish() {
  if (problem_ == Problem::none && (!rest_.empty() || !sender_)) problem_ = Problem::cut_short;
  return problem_ == Problem::none;
}

}  // namespace postern::send

#include "pop3/message_encoder.h"

namespace postern::pop3 {

bool MessageEncoder::feed(std::string_view bytes, std::string& out) {
  while (!bytes.empty() && !enough_) {
    const std::size_t end = bytes.find('\n');
    put_text(bytes.substr(0, end), out);
    if (end == std::string_view::npos) break;
    end_line(out);
    bytes.remove_prefix(end + 1);
  }
  return !enough_;
}

void MessageEncoder::put_text(std::string_view text, std::string& out) {
  if (text.empty()) return;
  if (cr_is_held_) {
    out += '\r';
    line_is_empty_ = false;
  }
  cr_is_held_ = text.ends_with('\r');
  if (cr_is_held_) text.remove_suffix(1);
  if (text.empty()) return;
  if (line_is_empty_ && text.front() == '.') out += '.';
  line_is_empty_ = false;
  out += text;
}

void MessageEncoder::end_line(std::string& out) {
  out += "\r\n";
  const bool ends_header = in_header_ && line_is_empty_;
  if (body_lines_ && !in_header_) --*body_lines_;
  if (ends_header) in_header_ = false;
  if (!in_header_ && body_lines_ == 0) enough_ = true;
  line_is_empty_ = true;
  cr_is_held_ = false;
}

void MessageEncoder::finish(std::string& out) {
  if (!line_is_empty_ || cr_is_held_) out += "\r\n";
  out += ".\r\n";
}

}  // namespace postern::pop3

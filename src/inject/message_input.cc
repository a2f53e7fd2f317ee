#include "inject/message_input.h"

#include "mail/header.h"

namespace postern::inject {

// Reads one line into line_; false at the end of the input. A last line without LF gets one.
Result<bool> MessageInput::next_line() {
  const auto got = input_.read_line(line_, most_header_bytes - header_bytes_);
  if (!got) return std::unexpected(got.error());
  if (*got == BufferedInput::Line::too_long) {
    return failure("the header is larger than " + std::to_string(most_header_bytes) +
                   " bytes: put a blank line after it, or send to fewer people at a time");
  }
  if (*got == BufferedInput::Line::end_of_file && line_.empty()) return false;
  if (first_) crlf_ = line_.ends_with('\r');
  first_ = false;
  if (crlf_ && line_.ends_with('\r')) line_.pop_back();
  header_bytes_ += line_.size();
  line_ += '\n';
  return true;
}

Status MessageInput::read_header(const std::function<Status(std::string_view)>& take) {
  std::string field;
  const auto give = [&] {
    Status taken = field.empty() ? Status{} : take(field);
    field.clear();
    return taken;
  };
  for (;;) {
    const auto got = next_line();
    if (!got) return std::unexpected(got.error());
    if (!*got || line_ == "\n") return give();
    if (mail::is_continuation(line_) && !field.empty()) {
      field += line_;
      continue;
    }
    if (auto given = give(); !given) return given;
    if (line_.starts_with("From ")) {
      field = "MBOX-Line: " + line_;  // the separator of a mailbox file
    } else if (mail::field_name(line_)) {
      field = line_;
    } else {
      body_begin_ = line_;
      return {};
    }
  }
}

// CR LF becomes LF, also where a piece ends between the two.
std::string MessageInput::without_carriage_returns(std::string_view bytes) {
  std::string text;
  text.reserve(bytes.size() + 1);
  for (const char c : bytes) {
    if (held_return_ && c != '\n') text += '\r';
    held_return_ = c == '\r';
    if (!held_return_) text += c;
  }
  return text;
}

Status MessageInput::read_body(const std::function<Status(std::string_view)>& take) {
  if (!body_begin_.empty()) {
    if (auto taken = take(body_begin_); !taken) return taken;
  }
  char last = '\n';
  for (;;) {
    const auto bytes = input_.peek();
    if (!bytes) return std::unexpected(bytes.error());
    if (bytes->empty()) break;
    last = bytes->back();
    const auto taken = crlf_ ? take(without_carriage_returns(*bytes)) : take(*bytes);
    if (!taken) return taken;
    input_.consume(bytes->size());
  }
  if (held_return_) return take("\r\n");
  return last == '\n' ? Status{} : take("\n");
}

}  // namespace postern::inject

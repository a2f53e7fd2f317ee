#include "wire/envelope.h"

#include "base/integers.h"

namespace postern::wire {
namespace {

std::string record(char letter, std::string_view text) {
  std::string bytes(1, letter);
  bytes += text;
  bytes += '\0';
  return bytes;
}

// Takes "<letter>text\0" off `bytes`.
struct Record {
  char letter;
  std::string_view text;
};
std::optional<Record> take_record(std::string_view& bytes) {
  const std::size_t end = bytes.find('\0');
  if (end == std::string_view::npos || end == 0) return std::nullopt;
  const Record record{bytes.front(), bytes.substr(1, end - 1)};
  bytes.remove_prefix(end + 1);
  return record;
}

}  // namespace

std::string format_envelope(const Envelope& envelope) {
  std::string bytes = record('F', envelope.sender);
  for (const auto& recipient : envelope.recipients) bytes += record('T', recipient);
  bytes += '\0';
  return bytes;
}

EnvelopeParser::State EnvelopeParser::feed(std::string_view bytes, std::string& records) {
  for (std::size_t i = 0; i < bytes.size() && state_ == State::unfinished;) {
    if (at_ == At::address) {
      const std::size_t end = bytes.find('\0', i);
      const std::string_view part = bytes.substr(i, end == std::string_view::npos ? end : end - i);
      length_ += part.size();
      if (length_ > most_address_bytes) return state_ = State::too_long;
      records += part;
      i += part.size();
      if (end == std::string_view::npos) continue;
      records += '\0';
      ++i;
      at_ = At::record_letter;
      continue;
    }
    const char letter = bytes[i++];
    if (at_ == At::record_letter && letter == '\0') return state_ = State::complete;
    if (letter != (at_ == At::sender_letter ? 'F' : 'T')) return state_ = State::malformed;
    records += letter;
    length_ = 0;
    at_ = At::address;
  }
  return state_;
}

std::string format_todo_head(std::uint64_t uid, std::uint64_t pid) {
  return record('u', std::to_string(uid)) + record('p', std::to_string(pid));
}

std::string format_todo(const Todo& todo) {
  std::string bytes = format_todo_head(todo.uid, todo.pid) + format_envelope(todo.envelope);
  bytes.pop_back();  // a file has no need of the stream's final NUL
  return bytes;
}

Result<Todo> parse_todo(std::string_view bytes) {
  Todo todo;
  bool has_sender = false;
  while (!bytes.empty()) {
    const auto record = take_record(bytes);
    if (!record) return failure("cut short");
    if (record->letter == 'F') {
      todo.envelope.sender = record->text;
      has_sender = true;
    } else if (record->letter == 'T') {
      todo.envelope.recipients.emplace_back(record->text);
    } else if (record->letter == 'u' || record->letter == 'p') {
      const auto number = parse_decimal(record->text);
      if (!number) return failure("bad number");
      (record->letter == 'u' ? todo.uid : todo.pid) = *number;
    } else {
      return failure("unknown record type");
    }
  }
  if (!has_sender) return failure("no sender");
  return todo;
}

std::string format_info(std::string_view sender) { return record('F', sender); }

Result<std::string> parse_info(std::string_view bytes) {
  const auto record = take_record(bytes);
  if (!record || record->letter != 'F') return failure("no sender");
  return std::string(record->text);
}

std::string format_recipient(std::string_view address) { return record(letter_to_do, address); }

Result<std::optional<RecipientRecord>> take_recipient(std::string_view& bytes,
                                                      std::uint64_t& offset) {
  if (bytes.empty()) return std::nullopt;
  const std::size_t before = bytes.size();
  const auto record = take_record(bytes);
  if (!record) return failure("cut short");
  if (record->letter != letter_to_do && record->letter != letter_done) {
    return failure("unknown record type");
  }
  const RecipientRecord recipient{record->letter == letter_done, record->text, offset};
  offset += before - bytes.size();
  return recipient;
}

}  // namespace postern::wire

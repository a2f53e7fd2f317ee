// An envelope as bytes: "F<sender>\0" and "T<recipient>\0"..., the records that qmail-queue reads
// on descriptor 1 (with a final "\0") and that todo, info, local and remote files hold. Described
// in docs/wire/queue.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace postern::wire {

/// Longest address qmail-queue takes, in bytes, without its NUL.
inline constexpr std::size_t most_address_bytes = 1002;

struct Envelope {
  std::string sender;
  std::vector<std::string> recipients;

  bool operator==(const Envelope&) const = default;
};

/// What qmail-queue reads on descriptor 1: "Fa@x\0Tb@y\0Tc@z\0\0".
std::string format_envelope(const Envelope& envelope);

/// Reads descriptor 1 of qmail-queue piece by piece, in constant memory per address.
class EnvelopeParser {
 public:
  enum class State {
    unfinished,  // more bytes are needed; the end of the file now is a truncated envelope
    complete,    // the final NUL has been seen; later bytes are ignored
    malformed,   // a record letter that does not belong there (qmail-queue's exit 91)
    too_long,    // an address of more than most_address_bytes (exit 11)
  };
  /// Appends the well-formed records of `bytes` to `records`, in todo's form.
  State feed(std::string_view bytes, std::string& records);

 private:
  enum class At { sender_letter, record_letter, address };
  State state_ = State::unfinished;
  At at_ = At::sender_letter;
  std::size_t length_ = 0;
};

/// A todo file (and intd, its other name): "u<uid>\0p<pid>\0F<sender>\0T<recipient>\0".
struct Todo {
  std::uint64_t uid = 0;  // who called qmail-queue
  std::uint64_t pid = 0;  // qmail-queue's process id: "qp" in the log
  Envelope envelope;

  bool operator==(const Todo&) const = default;
};
std::string format_todo(const Todo& todo);
/// The head of a todo file, written before its envelope records.
std::string format_todo_head(std::uint64_t uid, std::uint64_t pid);
/// Error: text that is cut short, an unknown record letter, no sender.
Result<Todo> parse_todo(std::string_view bytes);

/// An info file: "F<sender>\0".
std::string format_info(std::string_view sender);
Result<std::string> parse_info(std::string_view bytes);

/// One recipient of a local or remote file. Done is marked by overwriting the record's first byte,
/// which is why its offset is kept.
struct RecipientRecord {
  bool done = false;
  std::string_view address;  // view into the parsed bytes
  std::uint64_t offset = 0;  // of the record's letter, in bytes from the file's begin
};
inline constexpr char letter_to_do = 'T';
inline constexpr char letter_done = 'D';
std::string format_recipient(std::string_view address);
/// Takes the next record off `bytes`; `offset` is where `bytes` begins in the file and is moved on.
/// Nothing at the end. Error: an unknown letter or a record without its NUL.
Result<std::optional<RecipientRecord>> take_recipient(std::string_view& bytes,
                                                      std::uint64_t& offset);

}  // namespace postern::wire

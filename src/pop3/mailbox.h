// The messages of one Maildir in the order POP3 numbers them, packed: a mailbox may hold hundreds
// of thousands, and a session has a few megabytes for everything.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace postern::pop3 {

enum class Folder : std::uint8_t { fresh, seen };  // new/ and cur/

class Mailbox {
 public:
  /// A message's file; `modified` in nanoseconds since 1970.
  void add(Folder folder, std::string_view name, std::uint64_t bytes, std::int64_t modified);
  /// Numbers the messages: the oldest first, by name where that is equal. One that a mail reader
  /// moved from new to cur while the folders were being read has been added twice and is kept once.
  void sort();

  [[nodiscard]] std::size_t size() const { return messages_.size(); }
  /// Counted from 0. The size of the file, which is what POP3 shows.
  [[nodiscard]] std::uint64_t bytes(std::size_t index) const { return messages_[index].bytes; }
  [[nodiscard]] Folder folder(std::size_t index) const { return messages_[index].folder; }
  /// The file's name in its folder; a NUL stands behind it.
  [[nodiscard]] std::string_view name(std::size_t index) const;
  /// What stays the same about a message for as long as it exists (RFC 1939, UIDL): its file's name
  /// without the flags. Bytes that UIDL has no room for become "%0A".
  [[nodiscard]] std::string unique_id(std::size_t index) const;

 private:
  struct Message {
    std::uint64_t bytes;
    std::int64_t modified;
    std::size_t name;  // where in names_
    Folder folder;
  };
  [[nodiscard]] std::string_view name_of(const Message& message) const;

  std::vector<Message> messages_;
  std::string names_;  // each with a NUL behind it
};

/// The part of a file's name that is the message's own, whatever flags readers add: up to the first
/// colon; the whole name where nothing stands before that.
std::string_view unique_part(std::string_view name);

/// What a session has decided about each message; carried out when the client says QUIT.
struct Marks {
  explicit Marks(std::size_t count) : deleted(count), read(count) {}
  std::vector<bool> deleted;
  std::vector<bool> read;  // the whole message has been sent
};

}  // namespace postern::pop3

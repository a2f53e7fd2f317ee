// The POP3 dialogue after the login (RFC 1939 section 5, with LAST of RFC 1460 and CAPA of RFC
// 2449): lines in, replies out. Reads and writes nothing itself; the connection is in connection.h.
// Described in docs/wire/pop3.md.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "pop3/mailbox.h"

namespace postern::pop3 {

struct Reply {
  enum class Then {
    go_on,
    list_sizes,    // then size_line() of every message, and the end of the list
    list_ids,      // likewise, id_line()
    send_message,  // instead of the text: "+OK" and `message`, or that it cannot be opened
    quit,          // instead of the text: carry out marks(), and say how that went
  };
  std::string text{};
  Then then = Then::go_on;
  std::size_t message = 0;                    // counted from 0
  std::optional<std::uint64_t> body_lines{};  // of it, after its header; nothing: all
};

class Session {
 public:
  explicit Session(const Mailbox& mailbox) : mailbox_(mailbox), marks_(mailbox.size()) {}

  /// A line without its LF. One CR at its end does not count.
  Reply feed(std::string_view line);

  /// "3 1200" and CRLF, also for a list; nothing for a deleted message.
  [[nodiscard]] std::string size_line(std::size_t message) const;
  [[nodiscard]] std::string id_line(std::size_t message) const;
  /// RETR has sent all of it.
  void message_was_sent(std::size_t message);
  [[nodiscard]] const Marks& marks() const { return marks_; }

 private:
  struct Verb;
  static const Verb verbs[];

  Reply on_capa(std::string_view argument);
  Reply on_dele(std::string_view argument);
  Reply on_last(std::string_view argument);
  Reply on_list(std::string_view argument);
  Reply on_noop(std::string_view argument);
  Reply on_quit(std::string_view argument);
  Reply on_retr(std::string_view argument);
  Reply on_rset(std::string_view argument);
  Reply on_stat(std::string_view argument);
  Reply on_top(std::string_view argument);
  Reply on_uidl(std::string_view argument);

  [[nodiscard]] std::expected<std::size_t, Reply> find_message(std::string_view number) const;
  void access(std::size_t message) { last_ = std::max(last_, message + 1); }

  const Mailbox& mailbox_;
  Marks marks_;
  std::size_t last_ = 0;  // the highest number that has been read or deleted, counted from 1
};

}  // namespace postern::pop3

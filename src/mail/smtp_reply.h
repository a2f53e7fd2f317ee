// What an SMTP server answers (RFC 5321 4.2): one or more lines, each with the same code.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace postern::mail {

struct SmtpReply {
  int code = 0;      // 200 to 599
  std::string text;  // all lines with their codes, LF at each end, CRs left out; cut when long

  /// The first digit of the code: 2 done, 3 go on, 4 not now, 5 never.
  [[nodiscard]] int kind() const { return code / 100; }
};

/// Puts replies together from the bytes of a connection, wherever these are cut.
class SmtpReplyParser {
 public:
  /// Of a reply's text this much is kept, in bytes.
  static constexpr std::size_t most_text_bytes = 5000;
  /// A reply with more bytes than this is no reply.
  static constexpr std::size_t most_reply_bytes = 65536;

  enum class State {
    unfinished,
    complete,   // reply() may be called
    malformed,  // not SMTP: a code that is no number from 200 to 599, or a reply without end
  };
  /// Takes bytes off `input`, at most to the end of one reply.
  State feed(std::string_view& input);
  /// The reply that has been completed; the parser is ready for the next. A code that changes
  /// between the lines of a reply is that of the last line.
  SmtpReply take_reply();
  /// What has been read of a reply that is not whole, for a report.
  [[nodiscard]] std::string_view text() const { return reply_.text; }

 private:
  State take_byte(char c);
  bool take_code_digit(char c);

  SmtpReply reply_;
  std::size_t bytes_ = 0;   // of the reply
  std::size_t column_ = 0;  // in the line
  int code_ = 0;            // of the line
  bool last_line_ = false;
};

}  // namespace postern::mail

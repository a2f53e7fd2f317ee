// A message as POP3 sends it (RFC 1939 section 3): lines end in CR LF, a dot at the begin of a line
// is doubled, and a line with a dot alone ends it all.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace postern::pop3 {

class MessageEncoder {
 public:
  /// `body_lines`: the header and so many lines after it (TOP). Nothing: the whole message.
  explicit MessageEncoder(std::optional<std::uint64_t> body_lines = std::nullopt)
      : body_lines_(body_lines) {}

  /// Appends the encoding of the next bytes of the file to `out`, however they are cut. Lines in
  /// the file end in LF or in CR LF. False: no more is wanted.
  bool feed(std::string_view bytes, std::string& out);
  /// Appends the end. A last line without an end gets one, and nothing else is added.
  void finish(std::string& out);

 private:
  void put_text(std::string_view text, std::string& out);
  void end_line(std::string& out);

  std::optional<std::uint64_t> body_lines_;  // still wanted
  bool in_header_ = true;
  bool line_is_empty_ = true;
  bool cr_is_held_ = false;  // the CR may be part of a line's end
  bool enough_ = false;
};

}  // namespace postern::pop3

// The words of structured header fields (RFC 5322 section 3.2): atoms, quoted strings, domain
// literals, comments and specials, each with its place in the text. Lenient where old or careless
// software is: 8-bit bytes and backslashes may stand in atoms.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace postern::mail {

struct Token {
  enum class Kind {
    atom,
    quoted,   // "..."
    literal,  // [...]
    comment,  // (...), nested ones included
    special,  // one of < > @ , ; : .
  };
  Kind kind = Kind::atom;
  std::size_t begin = 0;  // the token is text[begin, end)
  std::size_t end = 0;

  [[nodiscard]] std::string_view in(std::string_view text) const {
    return text.substr(begin, end - begin);
  }
  [[nodiscard]] bool is_word() const {
    return kind == Kind::atom || kind == Kind::quoted || kind == Kind::literal;
  }
};

/// Error: a quote, comment or bracket that is not closed, or one closed that was not opened.
Result<std::vector<Token>> tokenize(std::string_view text);

/// What a word stands for: a quoted string without its quotes and backslashes, an atom without its
/// backslashes, a domain literal as it is. Line ends inside (folding) do not count.
std::string unquote(std::string_view token);

}  // namespace postern::mail

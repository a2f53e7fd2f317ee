#include "mail/tokens.h"

namespace postern::mail {
namespace {

using Kind = Token::Kind;

constexpr std::string_view blanks = " \t\r\n";
constexpr std::string_view specials = "<>@,;:.";
constexpr std::string_view openers = "(\"[";
constexpr std::string_view closers = ")]";

constexpr auto npos = std::string_view::npos;

// The position after the byte, or the escaped pair, at `at`.
std::size_t step(std::string_view text, std::size_t at) {
  return std::min(text.size(), at + (text[at] == '\\' ? 2 : 1));
}

// The position after the `close` that ends what begins at `at`; npos if nothing does.
std::size_t end_of_quoted(std::string_view text, std::size_t at, char close) {
  for (++at; at < text.size(); at = step(text, at)) {
    if (text[at] == close) return at + 1;
  }
  return npos;
}

std::size_t end_of_comment(std::string_view text, std::size_t at) {
  std::size_t depth = 0;
  for (; at < text.size(); at = step(text, at)) {
    if (text[at] == '(') ++depth;
    if (text[at] == ')' && --depth == 0) return at + 1;
  }
  return npos;
}

std::size_t end_of_atom(std::string_view text, std::size_t at) {
  while (at < text.size() && !blanks.contains(text[at]) && !specials.contains(text[at]) &&
         !openers.contains(text[at]) && !closers.contains(text[at])) {
    at = step(text, at);
  }
  return at;
}

Token next_token(std::string_view text, std::size_t at) {
  const char c = text[at];
  if (c == '"') return {Kind::quoted, at, end_of_quoted(text, at, '"')};
  if (c == '[') return {Kind::literal, at, end_of_quoted(text, at, ']')};
  if (c == '(') return {Kind::comment, at, end_of_comment(text, at)};
  if (closers.contains(c)) return {Kind::special, at, npos};
  if (specials.contains(c)) return {Kind::special, at, at + 1};
  return {Kind::atom, at, end_of_atom(text, at)};
}

}  // namespace

Result<std::vector<Token>> tokenize(std::string_view text) {
  std::vector<Token> tokens;
  std::size_t at = text.find_first_not_of(blanks);
  while (at != npos) {
    const Token token = next_token(text, at);
    if (token.end == npos) {
      return failure(std::string("unbalanced ") + text[at]);
    }
    tokens.push_back(token);
    at = text.find_first_not_of(blanks, token.end);
  }
  return tokens;
}

std::string unquote(std::string_view token) {
  if (token.starts_with('[')) return std::string(token);
  if (token.size() >= 2 && token.starts_with('"')) token = token.substr(1, token.size() - 2);
  std::string word;
  for (std::size_t i = 0; i < token.size(); ++i) {
    if (token[i] == '\\' && i + 1 < token.size()) ++i;
    if (token[i] != '\n' && token[i] != '\r') word += token[i];
  }
  return word;
}

}  // namespace postern::mail

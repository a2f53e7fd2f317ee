#include "remote/auth.h"

#include "base/ascii.h"
#include "base/base64.h"
#include "base/integers.h"
#include "sasl/digest.h"

namespace postern::remote {
namespace {

std::string_view take_word(std::string_view& text) {
  text = trim(text);
  const std::size_t end = text.find_first_of(" \t");
  const std::string_view word = text.substr(0, end);
  text.remove_prefix(word.size());
  return word;
}

void note_mechanisms(std::string_view words, Extensions& extensions) {
  while (!words.empty()) {
    const std::string_view word = take_word(words);
    if (equal_ignoring_case(word, "CRAM-MD5")) extensions.cram_md5 = true;
    if (equal_ignoring_case(word, "PLAIN")) extensions.plain = true;
    if (equal_ignoring_case(word, "LOGIN")) extensions.login = true;
  }
}

void note_keyword(std::string_view line, Extensions& extensions) {
  // "AUTH=LOGIN PLAIN" is how servers spoke to clients older than RFC 2554.
  if (starts_with_ignoring_case(line, "AUTH=")) return note_mechanisms(line.substr(5), extensions);
  const std::string_view keyword = take_word(line);
  if (equal_ignoring_case(keyword, "AUTH")) note_mechanisms(line, extensions);
  if (equal_ignoring_case(keyword, "PIPELINING")) extensions.pipelining = true;
  if (!equal_ignoring_case(keyword, "SIZE")) return;
  extensions.size = true;
  const auto limit = parse_decimal(take_word(line));
  if (limit && *limit != 0) extensions.most_bytes = limit;
}

}  // namespace

std::string_view name_of(Mechanism mechanism) {
  switch (mechanism) {
    case Mechanism::cram_md5:
      return "CRAM-MD5";
    case Mechanism::plain:
      return "PLAIN";
    case Mechanism::login:
      return "LOGIN";
  }
  return {};
}

Extensions parse_extensions(std::string_view text) {
  constexpr std::size_t code_and_mark = 4;
  Extensions extensions;
  text.remove_prefix(std::min(text.size(), text.find('\n')));  // the greeting
  while (!text.empty()) {
    text.remove_prefix(1);
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(line.size());
    if (line.size() > code_and_mark) note_keyword(trim(line.substr(code_and_mark)), extensions);
  }
  return extensions;
}

std::string plain_response(const Credentials& credentials) {
  using namespace std::string_literals;
  return format_base64(credentials.user + "\0"s + credentials.user + "\0"s + credentials.password);
}

std::string cram_response(const Credentials& credentials, std::string_view challenge) {
  return format_base64(credentials.user + " " +
                       sasl::cram_md5_digest(credentials.password, challenge));
}

}  // namespace postern::remote

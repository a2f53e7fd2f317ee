#include "mail/address_list.h"

#include <algorithm>
#include <optional>
#include <span>

#include "mail/tokens.h"

namespace postern::mail {
namespace {

using Tokens = std::span<const Token>;

constexpr std::size_t fold_column = 78;  // RFC 5322 2.1.1: a line SHOULD not be longer

// A backslash with nothing behind it, or a line end. It would escape what completes the address.
bool ends_in_escape(const Token& token, std::string_view text) {
  if (token.kind != Token::Kind::atom) return false;
  const std::string_view word = token.in(text);
  for (std::size_t at = word.find('\\'); at != word.npos; at = word.find('\\', at + 2)) {
    if (at + 1 == word.size() || word[at + 1] == '\n' || word[at + 1] == '\r') return true;
  }
  return false;
}

// One address: the whole of it as envelopes hold it, and what changes in the text.
struct Completed {
  std::string address;
  std::string added;        // after the last token
  std::size_t removed = 0;  // bytes at the end of the last token: the plus sign
};

class ListParser {
 public:
  ListParser(std::string_view text, Tokens tokens, const HostDefaults& defaults)
      : text_(text), tokens_(tokens), defaults_(defaults) {}

  Result<AddressList> parse() {
    while (at_ < tokens_.size()) {
      const bool fine = is(at_, ',') || is(at_, ';') ? end_element() : element();
      if (!fine) return failure("not an address list");
    }
    if (in_group_) close_group();
    return std::move(list_);
  }

 private:
  [[nodiscard]] bool is(std::size_t i, char special) const {
    return i < tokens_.size() && tokens_[i].kind == Token::Kind::special &&
           text_[tokens_[i].begin] == special;
  }
  [[nodiscard]] bool is_any(std::size_t i, std::string_view characters) const {
    return i < tokens_.size() && tokens_[i].kind == Token::Kind::special &&
           characters.contains(text_[tokens_[i].begin]);
  }
  // The text from token `first` up to token `last`, not included.
  [[nodiscard]] std::string_view between(std::size_t first, std::size_t last) const {
    if (first == last) return {};
    return text_.substr(tokens_[first].begin, tokens_[last - 1].end - tokens_[first].begin);
  }
  [[nodiscard]] std::size_t find_any(std::size_t i, std::string_view characters) const {
    while (i < tokens_.size() && !is_any(i, characters)) ++i;
    return i;
  }

  void add_part(std::string part) {
    list_.parts.push_back(std::move(group_name_) + std::move(part));
    group_name_.clear();
  }

  // A comma; or a semicolon, which ends a group and outside of one stands for a comma.
  bool end_element() {
    if (is(at_, ';') && in_group_) close_group();
    ++at_;
    return true;
  }

  void close_group() {
    in_group_ = false;
    if (!group_name_.empty()) add_part("");
    if (list_.parts.back().ends_with(' ')) list_.parts.back().pop_back();
    list_.parts.back() += ';';
  }

  bool element() {
    const std::size_t end = find_any(at_, ",;<:>");
    if (is(end, '<')) return angle_address(end);
    if (is(end, ':')) return is(at_, '@') ? routed_address(end) : begin_group(end);
    return !is(end, '>') && bare_addresses(end);
  }

  bool begin_group(std::size_t colon) {
    if (in_group_) close_group();
    group_name_ = std::string(between(at_, colon + 1)) + " ";
    in_group_ = true;
    at_ = colon + 1;
    return true;
  }

  // "@a,@b:joe@c" without angle brackets: the route goes.
  bool routed_address(std::size_t colon) {
    at_ = colon + 1;
    return true;
  }

  // "Phrase <@route:joe@host> (comment)".
  bool angle_address(std::size_t open) {
    const std::size_t close = find_any(open + 1, ">");
    if (close == tokens_.size()) return false;
    std::size_t first = open + 1;
    if (is(first, '@')) {
      const std::size_t colon = find_any(first, ":>");
      if (is(colon, ':')) first = colon + 1;
    }
    std::size_t next = close + 1;
    while (next < tokens_.size() && tokens_[next].kind == Token::Kind::comment) ++next;

    const std::string_view before =
        text_.substr(tokens_[at_].begin, tokens_[open].end - tokens_[at_].begin);
    const std::string_view after = between(close, next);
    at_ = next;
    if (is_empty_group(first, close)) {
      add_part(std::string(before).append(between(first, close)).append(after));
      return true;
    }
    const auto completed = complete(first, close);
    if (!completed) return false;
    add_part(std::string(before).append(with(*completed, first, close)).append(after));
    return true;
  }

  // "<undisclosed-recipients:;>", which some mail programs write.
  [[nodiscard]] bool is_empty_group(std::size_t first, std::size_t last) const {
    return last >= first + 2 && is(last - 2, ':') && is(last - 1, ';');
  }

  // Words without angle brackets: one address, or several with blanks where commas belong.
  bool bare_addresses(std::size_t end) {
    while (at_ < end) {
      const std::size_t next = end_of_bare(at_, end);
      const auto completed = complete(at_, next);
      if (!completed) return false;
      if (!completed->address.empty()) add_part(with(*completed, at_, next));
      at_ = next;
    }
    return true;
  }

  // An address ends before a word that follows a word; comments belong to the address before them.
  [[nodiscard]] std::size_t end_of_bare(std::size_t i, std::size_t end) const {
    bool after_word = false;
    for (; i < end; ++i) {
      if (tokens_[i].kind == Token::Kind::comment) continue;
      if (tokens_[i].is_word() && after_word) return i;
      after_word = tokens_[i].is_word();
    }
    return end;
  }

  // Nothing: these tokens are not an address.
  std::optional<Completed> complete(std::size_t first, std::size_t last) {
    std::size_t at_sign = last;
    for (std::size_t i = first; i < last; ++i) {
      if (is_any(i, "<>,;:") || ends_in_escape(tokens_[i], text_)) return std::nullopt;
      if (is(i, '@')) at_sign = i;
    }
    if (end_of_bare(first, last) != last || has_quoted(at_sign, last)) return std::nullopt;
    const std::string local = joined(first, at_sign);
    const std::string host = at_sign == last ? "" : joined(at_sign + 1, last);
    if (local.empty() && at_sign == last) return Completed{};
    Completed completed = finish_host(host, at_sign != last);
    completed.address =
        local + "@" + complete_host(host.empty() ? defaults_.host : host, defaults_);
    if (completed.address.contains('\0')) return std::nullopt;
    list_.addresses.push_back(completed.address);
    return completed;
  }

  // RFC 5322 3.4.1: no part of a host name is a quoted string.
  [[nodiscard]] bool has_quoted(std::size_t first, std::size_t last) const {
    return std::ranges::any_of(tokens_.subspan(first, last - first), [](const Token& token) {
      return token.kind == Token::Kind::quoted;
    });
  }

  [[nodiscard]] Completed finish_host(const std::string& host, bool has_at) const {
    if (host.empty()) {
      return {{}, (has_at ? "" : "@") + complete_host(defaults_.host, defaults_), 0};
    }
    const std::string whole = complete_host(host, defaults_);
    const std::size_t removed = host.ends_with('+') && whole != host ? 1 : 0;
    return {{}, whole.substr(host.size() - removed), removed};
  }

  // What the words stand for, without blanks and comments.
  [[nodiscard]] std::string joined(std::size_t first, std::size_t last) const {
    std::string address;
    for (std::size_t i = first; i < last; ++i) {
      if (tokens_[i].kind != Token::Kind::comment) address += unquote(tokens_[i].in(text_));
    }
    return address;
  }

  // The text of the address with what completes it, put after its last word.
  [[nodiscard]] std::string with(const Completed& completed, std::size_t first,
                                 std::size_t last) const {
    std::size_t end = last;
    while (end > first && tokens_[end - 1].kind == Token::Kind::comment) --end;
    std::string text(between(first, end));
    text.resize(text.size() - completed.removed);
    text += completed.added;
    if (end == last) return text;
    const std::size_t from = end == first ? tokens_[end].begin : tokens_[end - 1].end;
    return text.append(text_.substr(from, tokens_[last - 1].end - from));
  }

  std::string_view text_;
  Tokens tokens_;
  const HostDefaults& defaults_;
  AddressList list_;
  std::size_t at_ = 0;
  bool in_group_ = false;
  std::string group_name_;  // "name: ", to stand before the next part
};

}  // namespace

std::string complete_host(std::string_view host, const HostDefaults& defaults) {
  std::string whole(host);
  if (host.starts_with('[')) return whole;
  if (host.ends_with('+')) {
    whole.pop_back();
    return whole.append(".").append(defaults.plus_domain);
  }
  if (host.contains('.') || defaults.domain.empty()) return whole;
  return whole.append(".").append(defaults.domain);
}

Result<AddressList> complete_address_list(std::string_view text, const HostDefaults& defaults) {
  const auto tokens = tokenize(text);
  if (!tokens) return std::unexpected(tokens.error());
  return ListParser(text, *tokens, defaults).parse();
}

std::string format_list_field(std::string_view name, const std::vector<std::string>& parts) {
  std::string field = std::string(name) + ":";
  std::size_t line = 0;  // where the current line begins
  for (const auto& part : parts) {
    const bool first = &part == &parts.front();
    const bool fits = field.size() - line + part.size() + 3 <= fold_column;
    if (!first) field += ',';
    if (first || fits) {
      field += ' ';
    } else {
      field += "\n  ";
      line = field.size() - 2;
    }
    field += part;
    if (const std::size_t end = part.rfind('\n'); end != std::string::npos) {
      line = field.size() - (part.size() - end - 1);
    }
  }
  return field + "\n";
}

}  // namespace postern::mail

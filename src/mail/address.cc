#include "mail/address.h"

#include <algorithm>

#include "base/ascii.h"

namespace postern::mail {
namespace {

constexpr std::string_view verp_mark = "-@[]";

bool is_atom_char(char c) {
  constexpr std::string_view marks = "!#$%&'*+-/=?^_`{|}~";
  return is_letter(c) || is_digit(c) || marks.contains(c);
}

// RFC 5321 4.1.2: Dot-string = Atom *("." Atom).
bool is_dot_string(std::string_view text) {
  if (text.empty() || text.front() == '.' || text.back() == '.' || text.contains(".."))
    return false;
  return std::ranges::all_of(text, [](char c) { return c == '.' || is_atom_char(c); });
}

// "list-@host" of "list-@host-@[]"; empty when the sender is no VERP sender.
std::string_view verp_base(std::string_view sender) {
  if (!sender.ends_with(verp_mark)) return {};
  const std::string_view base = sender.substr(0, sender.size() - verp_mark.size());
  return base.contains('@') ? base : std::string_view{};
}

}  // namespace

AddressParts split_address(std::string_view address) {
  const std::size_t at = address.rfind('@');
  if (at == std::string_view::npos) return {address, {}, false};
  return {address.substr(0, at), address.substr(at + 1), true};
}

std::string quote_local_part(std::string_view local) {
  if (is_dot_string(local)) return std::string(local);
  std::string quoted = "\"";
  for (const char c : local) {
    if (c == '"' || c == '\\' || c == '\n' || c == '\r') quoted += '\\';
    quoted += c;
  }
  quoted += '"';
  return quoted;
}

std::string quote_address(std::string_view address) {
  if (address.empty()) return {};
  const AddressParts parts = split_address(address);
  std::string quoted = quote_local_part(parts.local);
  if (parts.has_host) quoted.append("@").append(parts.host);
  return quoted;
}

std::string expand_verp(std::string_view sender, std::string_view recipient) {
  const std::string_view base = verp_base(sender);
  const AddressParts to = split_address(recipient);
  if (base.empty() || !to.has_host) return std::string(sender);
  const AddressParts list = split_address(base);
  return std::string(list.local)
      .append(to.local)
      .append("=")
      .append(to.host)
      .append("@")
      .append(list.host);
}

std::string bounce_address(std::string_view sender) {
  const std::string_view base = verp_base(sender);
  return std::string(base.empty() ? sender : base);
}

}  // namespace postern::mail

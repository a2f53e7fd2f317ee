#include "wire/checkpassword.h"

#include <algorithm>

#include "base/ascii.h"

namespace postern::wire {
namespace {

void add_field(std::string& bytes, std::string_view field) {
  bytes += field;
  bytes += '\0';
}

std::optional<std::string> take_field(std::string_view& bytes) {
  const std::size_t end = bytes.find('\0');
  if (end == std::string_view::npos) return std::nullopt;
  std::string field(bytes.substr(0, end));
  bytes.remove_prefix(end + 1);
  return field;
}

bool is_challenge(std::string_view text) {
  return text.size() > 2 && text.front() == '<' && text.back() == '>' && text.contains('@');
}

}  // namespace

bool is_digest(std::string_view text) {
  return text.size() == 32 &&
         std::ranges::all_of(text, [](char c) { return is_digit(c) || (c >= 'a' && c <= 'f'); });
}

std::string format_login(std::string_view user, std::string_view password,
                         std::optional<std::string_view> timestamp) {
  std::string bytes;
  add_field(bytes, user);
  add_field(bytes, password);
  if (timestamp) add_field(bytes, *timestamp);
  return bytes;
}

std::string format_cram(std::string_view user, std::string_view challenge, std::string_view digest,
                        CramOrder order) {
  return order == CramOrder::challenge_first ? format_login(user, challenge, digest)
                                             : format_login(user, digest, challenge);
}

Result<CheckRequest> parse_check_request(std::string_view bytes) {
  auto user = take_field(bytes);
  auto password = take_field(bytes);
  if (!user || !password) return failure("user name or password is missing on descriptor 3");
  return CheckRequest{std::move(*user), std::move(*password), take_field(bytes)};
}

std::optional<CheckRequest::Cram> CheckRequest::cram() const {
  if (!timestamp) return std::nullopt;
  if (is_digest(password) && is_challenge(*timestamp)) return Cram{*timestamp, password};
  if (is_challenge(password) && is_digest(*timestamp)) return Cram{password, *timestamp};
  return std::nullopt;
}

}  // namespace postern::wire

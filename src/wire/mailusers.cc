#include "wire/mailusers.h"

#include <algorithm>
#include <array>

#include "base/ascii.h"
#include "base/integers.h"

namespace postern::wire {
namespace {

constexpr std::string_view crypt_mark = "{CRYPT}";
constexpr std::string_view plain_mark = "{PLAIN}";

bool is_control(char c) { return (c >= 0 && c < ' ') || c == 0x7f; }

// "{MD5}" of "{MD5}5f4d...": what may be shown of a secret.
std::string_view scheme_shown(std::string_view secret) {
  const std::size_t end = secret.find('}');
  if (!secret.starts_with('{') || end == std::string_view::npos) return "no scheme";
  return secret.substr(0, end + 1);
}

Status check_fields(const MailUserLine& line) {
  if (line.address.empty()) return failure("the address is empty: write it before the first colon");
  if (line.address.contains(' ')) {
    return failure("address \"" + line.address + "\" holds a blank: take it out");
  }
  if (line.system_user.empty()) {
    return failure("no system user for " + line.address + ": name the user who owns its mail");
  }
  if (!line.home.starts_with('/')) {
    return failure("home \"" + line.home + "\" of " + line.address +
                   " is not an absolute path: begin it with a slash");
  }
  return {};
}

std::optional<std::string_view> take_field(std::string_view& bytes) {
  const std::size_t end = bytes.find('\0');
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view field = bytes.substr(0, end);
  bytes.remove_prefix(end + 1);
  return field;
}

std::optional<std::vector<gid_t>> parse_groups(std::string_view text) {
  std::vector<gid_t> groups;
  while (!text.empty()) {
    const std::size_t comma = text.find(',');
    const auto group = parse_decimal<gid_t>(text.substr(0, comma));
    if (!group) return std::nullopt;
    groups.push_back(*group);
    text.remove_prefix(comma == std::string_view::npos ? text.size() : comma + 1);
  }
  return groups;
}

}  // namespace

std::string format_secret(const Secret& secret) {
  return std::string(secret.scheme == Secret::Scheme::crypt ? crypt_mark : plain_mark) +
         secret.text;
}

Result<Secret> parse_secret(std::string_view text) {
  Secret secret;
  if (text.starts_with(crypt_mark)) {
    secret.scheme = Secret::Scheme::crypt;
  } else if (!text.starts_with(plain_mark)) {
    return failure("secret with " + std::string(scheme_shown(text)) +
                   ": begin it with {CRYPT} or {PLAIN}");
  }
  static_assert(crypt_mark.size() == plain_mark.size());
  secret.text = text.substr(crypt_mark.size());
  if (secret.text.empty()) {
    return failure("nothing after " + std::string(text) + ": an account needs a password");
  }
  return secret;
}

Result<std::optional<MailUserLine>> parse_mail_user_line(std::string_view line) {
  line = trim_end(line);
  if (trim(line).empty() || line.front() == '#') return std::nullopt;
  if (std::ranges::any_of(line, is_control)) {
    return failure(line.back() == '\r' ? "ends in CR LF: end the lines of the file in LF alone"
                                       : "holds a control character: take it out");
  }
  const std::size_t address_end = line.find(':');
  const std::size_t home_begin = line.rfind(':');
  const std::size_t user_begin =
      home_begin == 0 || home_begin == line.npos ? line.npos : line.rfind(':', home_begin - 1);
  const std::string address(line.substr(0, address_end));
  if (user_begin == line.npos || user_begin <= address_end) {
    return failure("too few fields after \"" + (address_end == line.npos ? "" : address) +
                   "\": write address:secret:system-user:home");
  }
  auto secret = parse_secret(line.substr(address_end + 1, user_begin - address_end - 1));
  if (!secret) return failure(address + ": " + secret.error().what);
  MailUserLine account{address, std::move(*secret),
                       std::string(line.substr(user_begin + 1, home_begin - user_begin - 1)),
                       std::string(line.substr(home_begin + 1))};
  if (auto sound = check_fields(account); !sound) return std::unexpected(sound.error());
  return account;
}

std::string format_mail_user_record(const MailUserRecord& record) {
  std::string bytes = format_secret(record.secret);
  bytes.append(1, '\0').append(record.system_user);
  bytes.append(1, '\0').append(std::to_string(record.uid));
  bytes.append(1, '\0').append(std::to_string(record.gid));
  bytes.append(1, '\0');
  for (const gid_t group : record.groups) {
    if (bytes.back() != '\0') bytes += ',';
    bytes += std::to_string(group);
  }
  return bytes.append(1, '\0').append(record.home);
}

Result<MailUserRecord> parse_mail_user_record(std::string_view bytes) {
  std::array<std::string_view, 5> fields;
  for (auto& field : fields) {
    const auto taken = take_field(bytes);
    if (!taken) return failure("a record of " + std::string(mail_users_cdb) + " is cut short");
    field = *taken;
  }
  const auto secret = parse_secret(fields[0]);
  const auto uid = parse_decimal<uid_t>(fields[2]);
  const auto gid = parse_decimal<gid_t>(fields[3]);
  const auto groups = parse_groups(fields[4]);
  if (!secret || !uid || !gid || !groups || !bytes.starts_with('/')) {
    return failure("a record of " + std::string(mail_users_cdb) + " makes no sense");
  }
  return MailUserRecord{*secret, std::string(fields[1]), *uid, *gid, *groups, std::string(bytes)};
}

std::string mail_user_key(std::string_view address) { return lower(address); }

}  // namespace postern::wire

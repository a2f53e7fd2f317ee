#include "spawn/assign.h"

#include <algorithm>
#include <array>
#include <optional>

#include "base/ascii.h"
#include "control/cdb.h"
#include "posix/files.h"
#include "wire/users_cdb.h"

namespace postern::spawning {
namespace {

constexpr std::size_t most_assign_bytes = std::size_t{1} << 30;
constexpr std::size_t field_count = 7;  // each ends in a colon
constexpr const char* assign_file = "users/assign";

using Fields = std::array<std::string_view, field_count>;

std::expected<Fields, std::string> split_fields(std::string_view line) {
  Fields fields;
  for (std::size_t i = 0; i < field_count; ++i) {
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) {
      return std::unexpected("expected 7 colons, found " + std::to_string(i));
    }
    fields[i] = line.substr(0, colon);
    line.remove_prefix(colon + 1);
  }
  return fields;
}

std::expected<AssignRecord, std::string> parse_line(std::string_view line) {
  if (line.contains('\0')) return std::unexpected("a NUL byte");
  const auto fields = split_fields(line);
  if (!fields) return std::unexpected(fields.error());
  auto [address, user, uid, gid, home, dash, extension] = *fields;
  if (address.empty()) return std::unexpected("no address before the first colon");
  std::string value(user);
  for (const auto field : {uid, gid, home, dash, extension}) {
    value += '\0';
    value += field;
  }
  if (!wire::parse_local_user(value)) {
    return std::unexpected("\"" + std::string(uid) + ":" + std::string(gid) +
                           "\" is not a uid and a gid");
  }
  if (!home.starts_with('/')) {
    return std::unexpected("home directory \"" + std::string(home) + "\" does not begin with /");
  }
  // Whatever is not a wildcard is exact: the first character itself is not looked at further.
  const bool wildcard = address.front() == '+';
  address.remove_prefix(1);
  return AssignRecord{wildcard ? wire::wildcard_user_key(address) : wire::exact_user_key(address),
                      std::move(value)};
}

// Wildcard keys are those without a final NUL; the key "!" alone has no last character.
void note_wildcard_end(const std::string& key, std::string& ends) {
  if (key.size() > 1 && key.back() != '\0' && !ends.contains(key.back())) ends += key.back();
}

Status write_cdb(const std::vector<AssignRecord>& records) {
  auto cdb = control::CdbWriter::create("users/cdb", "users/cdb.tmp", 0644);
  if (!cdb) return std::unexpected(cdb.error());
  for (const auto& [key, value] : records) {
    if (auto added = cdb->add(key, value); !added) return added;
  }
  return cdb->commit();
}

}  // namespace

std::expected<std::vector<AssignRecord>, AssignError> parse_assign(std::string_view text) {
  std::vector<AssignRecord> records;
  std::string wildcard_ends;
  std::size_t number = 1;
  for (;; ++number) {
    if (text.starts_with('.')) break;
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) {
      return std::unexpected(AssignError{
          number, "the file ends here, without a line that is a single dot: it may be cut off"});
    }
    auto record = parse_line(text.substr(0, end));
    if (!record) return std::unexpected(AssignError{number, record.error()});
    note_wildcard_end(record->key, wildcard_ends);
    records.push_back(std::move(*record));
    text.remove_prefix(end + 1);
  }
  records.push_back({std::string(wire::wildcard_ends_key), wildcard_ends});
  return records;
}

Status make_users_cdb() {
  const auto text = read_file(assign_file, most_assign_bytes);
  if (!text) return std::unexpected(text.error());
  const auto records = parse_assign(*text);
  if (!records) {
    return failure(std::string("bad format in ") + assign_file + ", line " +
                   std::to_string(records.error().line) + ": " + records.error().what);
  }
  return write_cdb(*records);
}

}  // namespace postern::spawning

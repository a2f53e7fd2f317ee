#include "wire/tcpto.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <limits>

#include "posix/clock.h"
#include "posix/files.h"
#include "posix/io.h"
#include "posix/lock.h"

namespace postern::wire {
namespace {

constexpr unsigned most_count = 10;
constexpr unsigned penalty_count = 2;
constexpr std::uint64_t same_timeout_seconds = 120;
constexpr auto lock_patience = std::chrono::seconds{10};

std::uint64_t parse_time(const TcptoFormat& format, std::string_view record) {
  std::uint64_t time = 0;
  for (std::size_t i = format.time_bytes; i-- > 0;) {
    time = time << 8 | static_cast<unsigned char>(record[format.time_offset + i]);
  }
  return time;
}

TcptoRecord parse_record(const TcptoFormat& format, std::string_view record) {
  return {std::string(record.substr(0, format.address_bytes)),
          static_cast<unsigned char>(record[format.address_bytes]), parse_time(format, record)};
}

std::string format_record(const TcptoFormat& format, const TcptoRecord& record) {
  std::string bytes(format.record_bytes, '\0');
  bytes.replace(0, format.address_bytes, record.address);
  bytes[format.address_bytes] = static_cast<char>(record.count);
  for (std::size_t i = 0; i < format.time_bytes; ++i) {
    bytes[format.time_offset + i] = static_cast<char>(record.last_at >> (8 * i) & 0xff);
  }
  return bytes;
}

std::vector<TcptoRecord> all_records(const TcptoFormat& format, std::string_view bytes) {
  std::vector<TcptoRecord> records;
  for (; bytes.size() >= format.record_bytes && records.size() < tcpto_records;
       bytes.remove_prefix(format.record_bytes)) {
    records.push_back(parse_record(format, bytes));
  }
  return records;
}

auto find_address(const std::vector<TcptoRecord>& records, std::string_view address) {
  return std::ranges::find_if(records, [&](const TcptoRecord& record) {
    return record.count != 0 && record.address == address;
  });
}

// Less than `seconds` ago. A time to come says only that the clock was wrong once.
bool is_within(std::uint64_t at, std::uint64_t now, std::uint64_t seconds) {
  return at <= now && now - at < seconds;
}

// The record a new address takes: a free one, else the one least missed.
std::size_t record_to_replace(const std::vector<TcptoRecord>& records) {
  std::size_t best = 0;
  std::uint64_t best_worth = std::numeric_limits<std::uint64_t>::max();
  for (std::size_t i = 0; i < records.size(); ++i) {
    if (records[i].count == 0) return i;
    const std::uint64_t worth = records[i].last_at + records[i].count * std::uint64_t{1024};
    if (worth < best_worth) {
      best = i;
      best_worth = worth;
    }
  }
  return best;
}

TcptoUpdate update(const TcptoFormat& format, std::size_t index, const TcptoRecord& record) {
  return {index * format.record_bytes, format_record(format, record)};
}

// Reads and changes the file under its lock. `change(bytes)` gives the update, if any.
void change_file(const std::string& queue, const TcptoFormat& format, auto change) {
  const auto fd = open_file(queue + "/" + format.path, O_RDWR);
  if (!fd || !lock(fd->get(), Deadline::after(lock_patience))) return;
  const auto bytes = read_to_end(fd->get(), tcpto_records * format.record_bytes);
  if (!bytes) return;
  const std::optional<TcptoUpdate> wanted = change(*bytes);
  if (!wanted) return;
  [[maybe_unused]] const ssize_t written = ::pwrite(
      fd->get(), wanted->record.data(), wanted->record.size(), static_cast<off_t>(wanted->offset));
}

std::string read_bytes(const std::string& queue, const TcptoFormat& format) {
  return read_file(queue + "/" + format.path, tcpto_records * format.record_bytes).value_or("");
}

Status clear_file(const std::string& queue, const TcptoFormat& format) {
  const std::string path = queue + "/" + format.path;
  const auto fd = open_file(path, O_WRONLY | O_CREAT, 0644);
  if (!fd) return std::unexpected(fd.error());
  if (auto locked = lock(fd->get(), Deadline::after(lock_patience)); !locked) return locked;
  return write_all(fd->get(), std::string(tcpto_records * format.record_bytes, '\0'));
}

}  // namespace

const TcptoFormat& tcpto_format(std::size_t address_bytes) {
  return address_bytes == tcpto_v4.address_bytes ? tcpto_v4 : tcpto_v6;
}

std::vector<TcptoRecord> parse_tcpto(const TcptoFormat& format, std::string_view bytes) {
  std::vector<TcptoRecord> records = all_records(format, bytes);
  std::erase_if(records, [](const TcptoRecord& record) { return record.count == 0; });
  return records;
}

bool is_in_penalty(const TcptoFormat& format, std::string_view bytes, std::string_view address,
                   std::uint64_t now, std::uint64_t pid) {
  const auto records = all_records(format, bytes);
  const auto record = find_address(records, address);
  if (record == records.end() || record->count < penalty_count) return false;
  return is_within(record->last_at, now, (60 + (pid & 31)) * 64);
}

std::optional<TcptoUpdate> note_timeout(const TcptoFormat& format, std::string_view bytes,
                                        std::string_view address, std::uint64_t now) {
  const auto records = all_records(format, bytes);
  if (records.empty()) return std::nullopt;
  const auto known = find_address(records, address);
  if (known == records.end()) {
    return update(format, record_to_replace(records), {std::string(address), 1, now});
  }
  if (is_within(known->last_at, now, same_timeout_seconds)) return std::nullopt;
  const auto index = static_cast<std::size_t>(known - records.begin());
  return update(format, index, {known->address, std::min(known->count + 1, most_count), now});
}

std::optional<TcptoUpdate> note_success(const TcptoFormat& format, std::string_view bytes,
                                        std::string_view address) {
  const auto records = all_records(format, bytes);
  const auto known = find_address(records, address);
  if (known == records.end()) return std::nullopt;
  const auto index = static_cast<std::size_t>(known - records.begin());
  return update(format, index, {known->address, 0, known->last_at});
}

TcptoFinding look_up(const std::string& queue, std::string_view address, std::uint64_t now,
                     std::uint64_t pid) {
  const TcptoFormat& format = tcpto_format(address.size());
  const std::string bytes = read_bytes(queue, format);
  return {is_in_penalty(format, bytes, address, now, pid),
          note_success(format, bytes, address).has_value()};
}

void record_timeout(const std::string& queue, std::string_view address, std::uint64_t now) {
  const TcptoFormat& format = tcpto_format(address.size());
  change_file(queue, format,
              [&](const std::string& bytes) { return note_timeout(format, bytes, address, now); });
}

void record_success(const std::string& queue, std::string_view address) {
  const TcptoFormat& format = tcpto_format(address.size());
  change_file(queue, format,
              [&](const std::string& bytes) { return note_success(format, bytes, address); });
}

Status clear_tcpto(const std::string& queue) {
  auto cleared = clear_file(queue, tcpto_v4);
  auto cleared6 = clear_file(queue, tcpto_v6);
  return cleared ? cleared6 : cleared;
}

}  // namespace postern::wire

// lock/tcpto and lock/tcpto6: which addresses did not answer lately, shared by every qmail-remote
// so that not each of them waits out the same dead host. Described in docs/wire/tcpto.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "wire/queue_names.h"

namespace postern::wire {

/// How one of the two files is laid out. 64 records each; numbers are least significant byte first.
struct TcptoFormat {
  const char* path;           // below HOME/queue
  std::size_t address_bytes;  // at the record's begin; the count, one byte, follows
  std::size_t record_bytes;   // what is not named here is zero
  std::size_t time_bytes;
  std::size_t time_offset;
};
inline constexpr std::size_t tcpto_records = 64;
inline constexpr TcptoFormat tcpto_v4{lock_tcpto, 4, 16, 4, 8};  // qmail 1.03's, byte for byte
inline constexpr TcptoFormat tcpto_v6{lock_tcpto6, 16, 32, 8, 24};

struct TcptoRecord {
  std::string address;        // 4 or 16 bytes
  unsigned count = 0;         // timeouts in a row, at most 10; 0 is a free record
  std::uint64_t last_at = 0;  // the latest, seconds since 1970
};

/// The file of addresses with this many bytes.
const TcptoFormat& tcpto_format(std::size_t address_bytes);

// Pure: `bytes` is what the file holds; bytes past the last whole record are ignored.

/// Every record with a count, for qmail-tcpto.
std::vector<TcptoRecord> parse_tcpto(const TcptoFormat& format, std::string_view bytes);
/// Whether the address is to be left alone for now: two timeouts or more, the last of them less
/// than about an hour ago. `pid` spreads the moment at which many processes try again.
bool is_in_penalty(const TcptoFormat& format, std::string_view bytes, std::string_view address,
                   std::uint64_t now, std::uint64_t pid);
/// One record to write: where, and its bytes.
struct TcptoUpdate {
  std::size_t offset = 0;
  std::string record;
};
/// Nothing: the address already counted a timeout in the last two minutes, or the file is empty.
std::optional<TcptoUpdate> note_timeout(const TcptoFormat& format, std::string_view bytes,
                                        std::string_view address, std::uint64_t now);
/// Nothing: the address has no timeouts to forget.
std::optional<TcptoUpdate> note_success(const TcptoFormat& format, std::string_view bytes,
                                        std::string_view address);

// On the files, whose directory HOME/queue is named by `queue` ("queue" below the home). Their
// failures do not matter: without the files every address is tried.

struct TcptoFinding {
  bool in_penalty = false;
  bool has_timeouts = false;  // a success is to be recorded
};
TcptoFinding look_up(const std::string& queue, std::string_view address, std::uint64_t now,
                     std::uint64_t pid);
void record_timeout(const std::string& queue, std::string_view address, std::uint64_t now);
void record_success(const std::string& queue, std::string_view address);
/// Forgets every timeout: qmail-rspawn at its start, qmail-tcpok. Makes a missing file. Error:
/// the first file that could not be written.
Status clear_tcpto(const std::string& queue);

}  // namespace postern::wire

#include "qmtp/package_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>

#include "base/netstring.h"
#include "posix/files.h"
#include "posix/io.h"

namespace postern::qmtp {
namespace {

constexpr std::size_t buffer_bytes = 65536;

}  // namespace

// A host without a writable /tmp keeps the package in memory that is not ours alone.
Result<PackageFile> PackageFile::create() {
  auto file = open_file("/tmp", O_TMPFILE | O_RDWR, 0600);
  if (file) return PackageFile(std::move(*file));
  Fd memory(::memfd_create("package", MFD_CLOEXEC));
  if (!memory) return std::unexpected(file.error());
  return PackageFile(std::move(memory));
}

Status PackageFile::add(std::string_view bytes) {
  bytes_ += bytes.size();
  buffer_ += bytes;
  return buffer_.size() < buffer_bytes ? Status{} : flush();
}

Status PackageFile::add_message(std::string_view bytes) {
  message_bytes_ += bytes.size();
  return add(bytes);
}

Status PackageFile::add_address(std::string_view address) { return add(format_netstring(address)); }

Status PackageFile::flush() {
  auto written = write_all(fd_.get(), buffer_);
  buffer_.clear();
  return written;
}

std::uint64_t PackageFile::length() const { return message_head().size() + bytes_ + 1; }

Status PackageFile::send(const std::function<Status(std::string_view)>& put) const {
  if (auto sent = put(std::to_string(length()) + ":" + message_head()); !sent) return sent;
  if (auto sent = send_part(put, 0, message_bytes_); !sent) return sent;
  if (auto sent = put(","); !sent) return sent;
  if (auto sent = send_part(put, message_bytes_, bytes_); !sent) return sent;
  return put(",");
}

Status PackageFile::send_part(const std::function<Status(std::string_view)>& put,
                              std::uint64_t begin, std::uint64_t end) const {
  std::string room(buffer_bytes, '\0');
  while (begin < end) {
    const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(room.size(), end - begin));
    const ssize_t count = ::pread(fd_.get(), room.data(), wanted, static_cast<off_t>(begin));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return system_failure("unable to read back the message");
    if (auto sent = put({room.data(), static_cast<std::size_t>(count)}); !sent) return sent;
    begin += static_cast<std::uint64_t>(count);
  }
  return {};
}

}  // namespace postern::qmtp

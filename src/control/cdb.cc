#include "control/cdb.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <utility>

#include "posix/files.h"

namespace postern::control {

Result<Cdb> Cdb::open(const std::string& path, Access access) {
  Cdb cdb;
  cdb.path_ = path;
  auto fd = open_for_reading(path);
  if (!fd) return std::unexpected(fd.error());
  cdb.fd_ = std::move(*fd);
  if (access == Access::by_reading) return cdb;
  cdb.mapped_ = ::cdb_init(&cdb.cdb_, cdb.fd_.get()) == 0;
  if (!cdb.mapped_ && errno != ENOMEM) {
    return failure(path + " is not a cdb file: make it again", errno);
  }
  return cdb;
}

Cdb::Cdb(Cdb&& other) noexcept
    : path_(std::move(other.path_)),
      fd_(std::move(other.fd_)),
      mapped_(std::exchange(other.mapped_, false)),
      cdb_(other.cdb_) {}

Cdb::~Cdb() {
  if (mapped_) ::cdb_free(&cdb_);
}

Result<std::optional<std::string>> Cdb::find(std::string_view key) {
  if (!mapped_) return find_by_reading(key);
  const int found = ::cdb_find(&cdb_, key.data(), static_cast<unsigned>(key.size()));
  if (found == 0) return std::nullopt;
  if (found < 0) return failure(path_ + " is damaged: make it again", errno);
  const unsigned length = cdb_datalen(&cdb_);
  const void* data = ::cdb_get(&cdb_, length, cdb_datapos(&cdb_));
  if (data == nullptr) return failure(path_ + " is damaged: make it again", errno);
  return std::string(static_cast<const char*>(data), length);
}

Result<std::optional<std::string>> Cdb::find_by_reading(std::string_view key) const {
  unsigned length = 0;
  const int found = ::cdb_seek(fd_.get(), key.data(), static_cast<unsigned>(key.size()), &length);
  if (found == 0) return std::nullopt;
  const auto info = stat_open_file(fd_.get());
  if (!info) return std::unexpected(info.error());
  if (found < 0 || length > info->st_size) return failure(path_ + " is damaged: make it again");
  std::string data(length, '\0');
  if (::cdb_bread(fd_.get(), data.data(), static_cast<int>(length)) != 0) {
    return failure(path_ + " is damaged: make it again", errno);
  }
  return data;
}

Result<CdbWriter> CdbWriter::create(const std::string& path, const std::string& temporary,
                                    mode_t mode) {
  CdbWriter writer;
  writer.path_ = path;
  writer.temporary_ = temporary;
  auto fd = open_file(temporary, O_RDWR | O_CREAT | O_TRUNC, mode);
  if (!fd) return std::unexpected(fd.error());
  writer.fd_ = std::move(*fd);
  if (::fchmod(writer.fd_.get(), mode) != 0)
    return system_failure("unable to set the mode of " + temporary);
  writer.make_ = std::make_unique<struct cdb_make>();
  ::cdb_make_start(writer.make_.get(), writer.fd_.get());
  return writer;
}

CdbWriter::~CdbWriter() {
  if (!make_) return;
  ::cdb_make_finish(make_.get());  // frees; what it writes goes with the file
  ::unlink(temporary_.c_str());
}

Status CdbWriter::give_to(uid_t uid, gid_t gid) {
  if (::fchown(fd_.get(), uid, gid) == 0) return {};
  return system_failure("unable to change the owner of " + temporary_);
}

Status CdbWriter::add(std::string_view key, std::string_view value) {
  if (::cdb_make_add(make_.get(), key.data(), static_cast<unsigned>(key.size()), value.data(),
                     static_cast<unsigned>(value.size())) != 0) {
    return system_failure("unable to write " + temporary_);
  }
  return {};
}

Status CdbWriter::commit() {
  const bool written = ::cdb_make_finish(make_.get()) == 0;
  make_.reset();
  Status done = written ? Status{} : system_failure("unable to write " + temporary_);
  // The data must be on disk before the name points at it, and the name before we say so.
  if (done) done = sync_file(fd_.get(), temporary_);
  if (done) done = rename_file(temporary_, path_);
  if (!done) {
    ::unlink(temporary_.c_str());
    return done;
  }
  const std::size_t slash = path_.rfind('/');
  return sync_directory(slash == std::string::npos ? "." : path_.substr(0, slash));
}

}  // namespace postern::control

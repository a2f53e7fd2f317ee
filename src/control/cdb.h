// Constant databases (cr.yp.to/cdb/cdb.txt), read and made by tinycdb.
#pragma once

#include <cdb.h>
#include <sys/types.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "posix/fd.h"

namespace postern::control {

/// An open cdb file, mapped into memory, or read piece by piece where memory is too small for that:
/// a large morercpthosts.cdb must not stop a qmail-smtpd that runs with two megabytes. A file that
/// lies about its offsets gives an error, not a crash.
class Cdb {
 public:
  static Result<Cdb> open(const std::string& path) { return open(path, Access::mapped_if_it_fits); }
  enum class Access { mapped_if_it_fits, by_reading };
  static Result<Cdb> open(const std::string& path, Access access);
  Cdb(Cdb&& other) noexcept;
  Cdb& operator=(Cdb&& other) = delete;
  ~Cdb();

  /// The first value of a key. Nothing: no such key. Error: a file that is not a whole cdb.
  [[nodiscard]] Result<std::optional<std::string>> find(std::string_view key);

 private:
  Cdb() = default;
  [[nodiscard]] Result<std::optional<std::string>> find_by_reading(std::string_view key) const;
  std::string path_;
  Fd fd_;
  bool mapped_ = false;
  struct cdb cdb_{};
};

/// Makes a cdb file, and puts it in place at once and durably.
class CdbWriter {
 public:
  /// Writes to `temporary`, in the directory of `path`; owner-writable, then `mode`.
  static Result<CdbWriter> create(const std::string& path, const std::string& temporary,
                                  mode_t mode);
  CdbWriter(CdbWriter&&) = default;
  CdbWriter& operator=(CdbWriter&& other) = delete;
  /// Removes the temporary file unless commit() has succeeded.
  ~CdbWriter();

  /// The file will belong to `uid` and `gid`, before it has its name. For root only.
  Status give_to(uid_t uid, gid_t gid);
  Status add(std::string_view key, std::string_view value);
  /// Finishes, syncs, renames over `path`, syncs the directory. Until then `path` is untouched.
  Status commit();

 private:
  CdbWriter() = default;
  std::string path_;
  std::string temporary_;
  Fd fd_;
  std::unique_ptr<struct cdb_make> make_;  // holds pointers into itself, so it may not move
};

}  // namespace postern::control

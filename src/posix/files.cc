#include "posix/files.h"

#include <fcntl.h>

#include <cstdio>

#include "posix/io.h"

namespace postern {
namespace {

Status checked(int result, std::string_view verb, std::string_view path) {
  if (result == 0) return {};
  const int code = errno;
  return failure(std::string("unable to ").append(verb).append(" ").append(path), code);
}

std::string directory_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace

Result<Fd> open_file(const std::string& path, int flags, mode_t mode) {
  int fd = -1;
  do {
    fd = ::open(path.c_str(), flags | O_CLOEXEC, mode);
  } while (fd < 0 && errno == EINTR);
  if (fd < 0) return system_failure("unable to open " + path);
  return Fd(fd);
}

Result<Fd> create_new_file(const std::string& path, mode_t mode) {
  auto fd = open_file(path, O_WRONLY | O_CREAT | O_EXCL, mode);
  if (!fd) return failure("unable to create " + path, fd.error().code);
  return fd;
}

Status sync_file(int fd, std::string_view path) { return checked(::fsync(fd), "sync", path); }

Status start_writing_out(int fd, std::string_view path) {
  return checked(::sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE), "write out", path);
}

Status write_out(int fd, std::string_view path) {
  constexpr unsigned and_wait =
      SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER;
  return checked(::sync_file_range(fd, 0, 0, and_wait), "write out", path);
}

Status sync_directory(const std::string& path) {
  const auto fd = open_file(path, O_RDONLY | O_DIRECTORY);
  if (!fd) return std::unexpected(fd.error());
  return sync_file(fd->get(), path);
}

Status link_file(const std::string& from, const std::string& to) {
  return checked(::link(from.c_str(), to.c_str()), "link", from + " to " + to);
}

Status unlink_file(const std::string& path) {
  return checked(::unlink(path.c_str()), "remove", path);
}

Status remove_file(const std::string& path) {
  auto removed = unlink_file(path);
  if (!removed && removed.error().code == ENOENT) return {};
  return removed;
}

Status rename_file(const std::string& from, const std::string& to) {
  return checked(std::rename(from.c_str(), to.c_str()), "rename", from + " to " + to);
}

Status rename_to_new_name(const std::string& from, const std::string& to) {
  int result = ::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE);
  if (result != 0 && (errno == EINVAL || errno == ENOSYS)) {
    struct stat info{};
    if (::lstat(to.c_str(), &info) == 0) return failure("there is already a " + to, EEXIST);
    result = std::rename(from.c_str(), to.c_str());
  }
  return checked(result, "rename", from + " to " + to);
}

Status change_directory(const std::string& path) {
  return checked(::chdir(path.c_str()), "switch to", path);
}

Result<struct stat> stat_file(const std::string& path) {
  struct stat info{};
  if (::stat(path.c_str(), &info) != 0) return system_failure("unable to stat " + path);
  return info;
}

Result<struct stat> stat_open_file(int fd) {
  struct stat info{};
  if (::fstat(fd, &info) != 0) return system_failure("unable to stat an open file");
  return info;
}

std::string file_version(const std::string& path) {
  const auto info = stat_file(path);
  if (!info) return {};
  return std::to_string(info->st_ino) + "." + std::to_string(info->st_size) + "." +
         std::to_string(info->st_ctim.tv_sec) + "." + std::to_string(info->st_ctim.tv_nsec);
}

Result<std::string> read_file(const std::string& path, std::size_t most) {
  const auto fd = open_for_reading(path);
  if (!fd) return std::unexpected(fd.error());
  auto text = read_to_end(fd->get(), most);
  if (!text) return failure("unable to read " + path, text.error().code);
  return text;
}

Status replace_file(const std::string& path, const std::string& temporary, std::string_view bytes,
                    mode_t mode) {
  const auto fd = open_file(temporary, O_WRONLY | O_CREAT | O_TRUNC, mode);
  if (!fd) return std::unexpected(fd.error());
  Status done = write_all(fd->get(), bytes);
  if (!done) done = failure("unable to write " + temporary, done.error().code);
  if (done) done = checked(::fchmod(fd->get(), mode), "set the mode of", temporary);
  if (done) done = sync_file(fd->get(), temporary);
  if (done) done = rename_file(temporary, path);
  if (!done) {
    // The error to report is the first one; whether the leftover goes away does not matter to it.
    ::unlink(temporary.c_str());
    return done;
  }
  return sync_directory(directory_of(path));
}

}  // namespace postern

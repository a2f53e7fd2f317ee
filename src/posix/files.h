// Files and directories: opening, creating, and making them durable. On Linux neither a file's data
// nor its name survives a power cut until it has been synced, the name by syncing its directory.
#pragma once

#include <sys/stat.h>

#include <string>
#include <string_view>

#include "base/error.h"
#include "posix/fd.h"

namespace postern {

/// open(2), close-on-exec. `what` is not asked for: an error reads "unable to open <path>".
Result<Fd> open_file(const std::string& path, int flags, mode_t mode = 0);
inline Result<Fd> open_for_reading(const std::string& path) { return open_file(path, 0); }
/// O_CREAT|O_EXCL, write-only.
Result<Fd> create_new_file(const std::string& path, mode_t mode);

/// Data and inode of an open file reach the disk. After an error the file must be given up: the
/// kernel may have dropped the data, and a second sync would claim success.
Status sync_file(int fd, std::string_view path);
/// Begins to write an open file's data out, which gives it its place on the disk, and does not
/// wait. Files that are synced afterwards then go there together and share a journal commit. It
/// promises nothing; but after an error the file must be given up as after one of sync_file(),
/// which need not hear of it.
Status start_writing_out(int fd, std::string_view path);
/// The same, and waits until the data is there. The inode, and what the disk has in its cache, are
/// left to a sync.
Status write_out(int fd, std::string_view path);
/// The names in a directory (links made, removed, renamed) reach the disk.
Status sync_directory(const std::string& path);

Status link_file(const std::string& from, const std::string& to);
Status unlink_file(const std::string& path);
/// As unlink_file(), but a file that is not there is success.
Status remove_file(const std::string& path);
Status rename_file(const std::string& from, const std::string& to);
/// As rename_file(), but what is called `to` already stays: error EEXIST. (A file system that
/// cannot do this at once is looked at first; somebody else could come between.)
Status rename_to_new_name(const std::string& from, const std::string& to);
Status change_directory(const std::string& path);
Result<struct stat> stat_file(const std::string& path);
Result<struct stat> stat_open_file(int fd);

/// Tells one version of a file from another, changed or replaced; empty where there is none.
std::string file_version(const std::string& path);

/// The whole file, at most `most` bytes (error EFBIG beyond).
Result<std::string> read_file(const std::string& path, std::size_t most);

/// Replaces `path` at once and durably: writes `temporary` (in the same directory), syncs it,
/// renames it over `path`, syncs the directory. On error `path` is what it was.
Status replace_file(const std::string& path, const std::string& temporary, std::string_view bytes,
                    mode_t mode);

}  // namespace postern

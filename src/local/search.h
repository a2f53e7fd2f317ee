// Finding the .qmail file that controls an address, and the owner of a list. Rules: dot-qmail(5).
#pragma once

#include <sys/stat.h>

#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "local/outcome.h"
#include "local/recipient.h"
#include "posix/fd.h"

namespace postern::local {

/// A home directory or .qmail file with this bit is nobody's to trust (conf-patrn).
inline constexpr mode_t writable_by_others = 0002;

/// A regular file that has been opened.
struct FoundFile {
  Fd fd;
  mode_t mode = 0;
};

/// A home directory, as far as the search needs it.
class HomeDirectory {
 public:
  virtual ~HomeDirectory() = default;
  /// Nothing: there is no such file, or it is not a regular one. Error: it cannot be told, or the
  /// file may not be read.
  virtual Result<std::optional<FoundFile>> open(const std::string& name) = 0;
  /// Error: it cannot be told now.
  virtual Result<bool> exists(const std::string& name) = 0;
};

/// The current directory.
class CurrentDirectory : public HomeDirectory {
 public:
  Result<std::optional<FoundFile>> open(const std::string& name) override;
  Result<bool> exists(const std::string& name) override;
};

struct DotQmailFile {
  std::string name;  // ".qmail-list-default"
  FoundFile file;
  /// The part of the extension that "default" stands for; nothing when the name is not one of
  /// those.
  std::optional<std::string> default_part;
};

/// ".qmail" DASH EXT, then ".qmail" DASH and ever shorter beginnings of EXT, cut after a '-', with
/// "default". Nothing: none of them. Error: a file that cannot be read, or that anybody may write.
std::expected<std::optional<DotQmailFile>, Failure> find_dot_qmail(HomeDirectory& home,
                                                                   const Recipient& recipient);

/// The sender that forwarded mail gets: where ".qmail" DASH EXT "-owner" exists, the list's owner,
/// and with "-owner-default" too, one address for each recipient (VERP). Bounces keep their sender.
std::expected<std::string, Failure> find_new_sender(HomeDirectory& home,
                                                    const Recipient& recipient);

}  // namespace postern::local

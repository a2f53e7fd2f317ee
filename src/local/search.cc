#include "local/search.h"

#include <fcntl.h>

#include "posix/files.h"

namespace postern::local {
namespace {

constexpr std::string_view default_word = "default";

std::expected<std::optional<FoundFile>, Failure> open_checked(HomeDirectory& home,
                                                              const std::string& name) {
  auto file = home.open(name);
  if (!file) return defer_for("Unable to open " + name, file.error().code);
  if (*file && ((*file)->mode & writable_by_others) != 0) {
    return defer("Uh-oh: .qmail file is writable. (#4.7.0)");
  }
  return std::move(*file);
}

std::expected<bool, Failure> exists(HomeDirectory& home, const std::string& name) {
  const auto found = home.exists(name);
  if (!found) return defer_for("Unable to open " + name, found.error().code);
  return *found;
}

// Bounces ("") and bounces of bounces ("#@[]") have nobody to send bounces to.
bool has_address(std::string_view sender) { return !sender.empty() && sender != "#@[]"; }

}  // namespace

Result<std::optional<FoundFile>> CurrentDirectory::open(const std::string& name) {
  // O_NONBLOCK: a FIFO must not hold the delivery up.
  auto fd = open_file(name, O_RDONLY | O_NONBLOCK | O_NOCTTY);
  if (!fd) {
    const int code = fd.error().code;
    if (is_temporary(code) || code == EPERM || code == EACCES) return std::unexpected(fd.error());
    return std::nullopt;
  }
  const auto info = stat_open_file(fd->get());
  if (!info) return std::unexpected(info.error());
  if (!S_ISREG(info->st_mode)) return std::nullopt;
  return FoundFile{std::move(*fd), info->st_mode};
}

Result<bool> CurrentDirectory::exists(const std::string& name) {
  const auto info = stat_file(name);
  if (info) return true;
  if (is_temporary(info.error().code)) return std::unexpected(info.error());
  return false;
}

std::expected<std::optional<DotQmailFile>, Failure> find_dot_qmail(HomeDirectory& home,
                                                                   const Recipient& recipient) {
  const std::string extension = safe_extension(recipient.extension);
  const std::string begin = ".qmail" + recipient.dash;
  const auto default_part = [&](std::size_t from) { return recipient.extension.substr(from); };

  auto file = open_checked(home, begin + extension);
  if (!file) return std::unexpected(file.error());
  if (*file) {
    DotQmailFile found{begin + extension, std::move(**file), {}};
    if (extension.ends_with(default_word)) {
      found.default_part = default_part(extension.size() - default_word.size());
    }
    return found;
  }
  for (std::size_t length = extension.size() + 1; length-- > 0;) {
    if (length > 0 && extension[length - 1] != '-') continue;
    const std::string name = begin + extension.substr(0, length).append(default_word);
    file = open_checked(home, name);
    if (!file) return std::unexpected(file.error());
    if (*file) return DotQmailFile{name, std::move(**file), default_part(length)};
  }
  return std::nullopt;
}

std::expected<std::string, Failure> find_new_sender(HomeDirectory& home,
                                                    const Recipient& recipient) {
  if (!has_address(recipient.sender)) return recipient.sender;
  const std::string owner =
      ".qmail" + recipient.dash + safe_extension(recipient.extension) + "-owner";
  const auto owned = exists(home, owner);
  if (!owned) return std::unexpected(owned.error());
  if (!*owned) return recipient.sender;
  const auto per_recipient = exists(home, owner + "-default");
  if (!per_recipient) return std::unexpected(per_recipient.error());
  if (!*per_recipient) return recipient.local + "-owner@" + recipient.host;
  return recipient.local + "-owner-@" + recipient.host + "-@[]";
}

}  // namespace postern::local

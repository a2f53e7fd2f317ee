#include "admin/queue_listing.h"

#include <dirent.h>

#include <algorithm>
#include <memory>
#include <optional>

#include "base/dates.h"
#include "mail/address.h"
#include "posix/files.h"
#include "wire/envelope.h"
#include "wire/home.h"

namespace postern::admin {
namespace {

constexpr std::size_t most_recipient_bytes = std::size_t{1} << 32;
constexpr std::size_t most_info_bytes = 65536;

bool is_gone(const Error& error) { return error.code == ENOENT; }

// The numbers among a directory's names, in ascending order.
Result<std::vector<wire::MessageId>> ids_in(const std::string& directory) {
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(::opendir(directory.c_str()), ::closedir);
  if (!stream) return system_failure("unable to list queue/" + directory);
  std::vector<wire::MessageId> ids;
  while (const dirent* entry = ::readdir(stream.get())) {
    if (const auto id = wire::parse_message_id(entry->d_name)) ids.push_back(*id);
  }
  std::ranges::sort(ids);
  return ids;
}

// Nothing: the message has gone meanwhile.
Result<std::optional<QueuedMessage>> read_message(wire::MessageId id) {
  const auto info = stat_file(wire::info_path(id));
  if (!info && is_gone(info.error())) return std::nullopt;
  if (!info) return std::unexpected(info.error());
  const auto text = stat_file(wire::mess_path(id));
  if (!text && is_gone(text.error())) return std::nullopt;
  if (!text) return std::unexpected(text.error());
  const auto record = read_file(wire::info_path(id), most_info_bytes);
  if (!record && is_gone(record.error())) return std::nullopt;
  if (!record) return std::unexpected(record.error());
  const auto sender = wire::parse_info(*record);
  if (!sender) return failure(wire::info_path(id) + " makes no sense: " + sender.error().what);
  return QueuedMessage{.id = id,
                       .since = info->st_mtime,
                       .bytes = static_cast<std::uint64_t>(text->st_size),
                       .sender = *sender,
                       .bounces = stat_file(wire::bounce_path(id)).has_value()};
}

Status list_recipients(std::string_view kind, const std::string& path,
                       const std::function<void(std::string_view)>& print) {
  const auto records = read_file(path, most_recipient_bytes);
  if (!records && is_gone(records.error())) return {};  // all of them are done
  if (!records) return std::unexpected(records.error());
  std::string lines;
  const auto formatted = format_recipients(kind, *records, lines);
  print(lines);
  if (!formatted) return failure(path + " makes no sense: " + formatted.error().what);
  return {};
}

Status list_message(wire::MessageId id, const std::function<void(std::string_view)>& print) {
  const auto message = read_message(id);
  if (!message) return std::unexpected(message.error());
  if (!*message) return {};
  print(format_message(**message));
  const auto local = list_recipients("local", wire::local_path(id), print);
  const auto remote = list_recipients("remote", wire::remote_path(id), print);
  return local ? remote : local;
}

}  // namespace

std::string format_message(const QueuedMessage& message) {
  constexpr std::size_t zone_bytes = std::string_view(" -0000").size();
  std::string line = format_date(message.since);
  line.resize(line.size() - zone_bytes);
  line += " GMT  #" + std::to_string(message.id) + "  " + std::to_string(message.bytes);
  line += "  <" + mail::quote_address(message.sender) + "> ";
  return line + (message.bounces ? "bouncing\n" : "\n");
}

Status format_recipients(std::string_view kind, std::string_view records, std::string& lines) {
  std::uint64_t offset = 0;
  for (;;) {
    const auto recipient = wire::take_recipient(records, offset);
    if (!recipient) return std::unexpected(recipient.error());
    if (!*recipient) return {};
    if ((**recipient).done) lines += "  done";
    lines.append("\t").append(kind).append("\t").append((**recipient).address).append("\n");
  }
}

Status list_queue(const std::function<void(std::string_view)>& print,
                  const std::function<void(const Error&)>& complain) {
  for (wire::MessageId part = 0; part < wire::queue_split; ++part) {
    const auto ids = ids_in(wire::split_directory("info", part));
    if (!ids) return std::unexpected(ids.error());
    for (const auto id : *ids) {
      if (const auto listed = list_message(id, print); !listed) complain(listed.error());
    }
  }
  return {};
}

Result<QueueCounts> count_queue() {
  QueueCounts counts;
  for (wire::MessageId part = 0; part < wire::queue_split; ++part) {
    const auto ids = ids_in(wire::split_directory("mess", part));
    if (!ids) return std::unexpected(ids.error());
    counts.messages += ids->size();
  }
  const auto unprocessed = ids_in("todo");
  if (!unprocessed) return std::unexpected(unprocessed.error());
  counts.unprocessed = unprocessed->size();
  return counts;
}

std::string format_counts(const QueueCounts& counts) {
  return "messages in queue: " + std::to_string(counts.messages) +
         "\nmessages in queue but not yet preprocessed: " + std::to_string(counts.unprocessed) +
         "\n";
}

Status enter_queue() {
  const std::string queue = wire::home() + "/queue";
  auto entered = change_directory(queue);
  if (entered || entered.error().code != EACCES) return entered;
  return failure("unable to switch to " + queue + " (root, qmails and qmailq can)", EACCES);
}

}  // namespace postern::admin

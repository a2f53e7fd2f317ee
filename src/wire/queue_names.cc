#include "wire/queue_names.h"

#include "base/integers.h"

namespace postern::wire {

std::string split_name(MessageId id) {
  return std::to_string(id % queue_split) + "/" + std::to_string(id);
}
std::string split_directory(std::string_view kind, MessageId id, MessageId split) {
  return std::string(kind) + "/" + std::to_string(id % split);
}

std::string mess_path(MessageId id) { return "mess/" + split_name(id); }
std::string info_path(MessageId id) { return "info/" + split_name(id); }
std::string local_path(MessageId id) { return "local/" + split_name(id); }
std::string remote_path(MessageId id) { return "remote/" + split_name(id); }
std::string intd_path(MessageId id) { return "intd/" + std::to_string(id); }
std::string todo_path(MessageId id) { return "todo/" + std::to_string(id); }
std::string bounce_path(MessageId id) { return "bounce/" + std::to_string(id); }

std::optional<MessageId> parse_message_id(std::string_view name) {
  if (name.size() > 1 && name.front() == '0') return std::nullopt;
  return parse_decimal<MessageId>(name);
}

}  // namespace postern::wire

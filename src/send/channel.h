// The two ways mail leaves the queue, and what differs between them.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

#include "wire/queue_names.h"

namespace postern::send {

enum class Channel : unsigned char { local, remote };
inline constexpr std::array channels = {Channel::local, Channel::remote};
constexpr std::size_t index_of(Channel channel) { return static_cast<std::size_t>(channel); }

/// As log lines and directories of the queue name it.
constexpr std::string_view name_of(Channel channel) {
  return channel == Channel::local ? "local" : "remote";
}

/// The file that holds a message's recipients on this channel: local/8/100 or remote/8/100.
inline std::string recipients_path(Channel channel, wire::MessageId id) {
  return channel == Channel::local ? wire::local_path(id) : wire::remote_path(id);
}

}  // namespace postern::send

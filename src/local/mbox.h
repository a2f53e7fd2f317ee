// Delivery into an mbox file: locked, appended, synced, or left as it was. Format: mbox(5).
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "local/message.h"
#include "local/outcome.h"

namespace postern::local {

/// How long to wait for another program's lock on the file.
inline constexpr std::chrono::seconds mbox_lock_patience{30};

/// `head` (From, Return-Path and Delivered-To lines) stands before the message.
Outcome deliver_to_mbox(const std::string& path, std::string_view head, const Message& message,
                        std::chrono::milliseconds patience = mbox_lock_patience);

}  // namespace postern::local

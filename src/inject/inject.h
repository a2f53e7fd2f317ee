// qmail-inject: reads a message, makes its header whole, queues or prints it.
#pragma once

#include <span>
#include <string>

#include "inject/message_header.h"
#include "inject/outcome.h"
#include "inject/settings.h"

namespace postern::inject {

/// Reads the message from descriptor `in`; with -n writes it to `out`, else queues it through the
/// qmail-queue of `qmail_home`, or $QMAILQUEUE.
Outcome inject_message(int in, int out, const Settings& settings, const Stamp& stamp,
                       const std::string& qmail_home);

/// The whole program: arguments without the program's name, the environment, descriptors 0 and 1.
Outcome run_inject(std::span<const char* const> arguments);

}  // namespace postern::inject

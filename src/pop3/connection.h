// A POP3 session on its descriptors: reading lines, gathering replies, sending messages.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "pop3/line_input.h"
#include "pop3/maildir.h"

namespace postern::pop3 {

/// No session lasts longer, however slowly its bytes come.
inline constexpr std::chrono::hours longest_session{24};

/// Serves the client until it says QUIT, and then alone does what it has asked for to the Maildir.
void serve_mailbox(const Maildir& maildir, const Mailbox& mailbox, int in, int out,
                   LineInput::Limits limits = {.session = longest_session});

/// qmail-pop3d whole. The argument is the Maildir. The program's exit code.
int serve_pop3(const std::vector<std::string>& arguments);

}  // namespace postern::pop3

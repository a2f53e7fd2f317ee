// qmail-popup behind main: the login on its descriptors, and the checker.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "pop3/line_input.h"

namespace postern::pop3 {

/// No login takes longer, however slowly its bytes come.
inline constexpr std::chrono::hours longest_login{1};

/// qmail-popup whole: arguments are the host's name, the checker and the checker's arguments. The
/// program's exit code: 0 after QUIT or a session that ended well, else 1.
int serve_popup(const std::vector<std::string>& arguments, int in = 0, int out = 1,
                LineInput::Limits limits = {.session = longest_login});

}  // namespace postern::pop3

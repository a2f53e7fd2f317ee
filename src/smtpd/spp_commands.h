// What a plugin of qmail-spp prints: a command a line, a letter and its text. Pure. The letters and
// what they mean: docs/wire/spp.md.
#pragma once

#include <string_view>
#include <vector>

#include "smtpd/spp_config.h"

namespace postern::smtpd {

struct SppCommand {
  enum class Kind {
    // These end what the plugin has to say, and what the others have to say about this event.
    stop,    // A: no more plugins in this session
    next,    // N: this command is accepted
    ok,      // O: and our own checks of its address are left out
    refuse,  // E: text is the reply
    reject,  // R: likewise, and the connection is closed
    drop,    // D: closed without a reply
    // These do not.
    later,   // LM, LR, LD: text is the reply to a later command, `when`
    set,     // S: NAME=VALUE
    unset,   // U
    header,  // H: a line
    change,  // C: the address in place of the client's
    print,   // P: a line for the client
    unknown,
  };
  Kind kind;
  std::string_view text;
  SppEvent when = SppEvent::mail;
};

/// The commands in what a plugin has printed, up to the first that ends it. The last line needs no
/// line end; empty lines are nothing. The texts are parts of `output`.
std::vector<SppCommand> parse_spp_output(std::string_view output);

}  // namespace postern::smtpd

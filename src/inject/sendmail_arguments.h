// The sendmail command line, as programs have called it since the 1980s, and what it means here.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"

namespace postern::inject {

enum class SendmailMode {
  deliver,     // -bm: read a message, queue it
  smtp,        // -bs: speak SMTP on descriptors 0 and 1
  list_queue,  // -bp, mailq
  run_queue,   // -q: nothing to do, qmail-send never rests
  aliases,     // newaliases: nothing to do, alias files are read when mail comes
};

struct SendmailArguments {
  SendmailMode mode = SendmailMode::deliver;
  bool header_recipients = false;     // -t
  std::optional<std::string> sender;  // -f, -r
  std::optional<std::string> name;    // -F
  std::vector<std::string> recipients;
};

/// `program` is argv[0]: mailq and newaliases are names for modes. Options that ask for what qmail
/// always does, or that steer how sendmail's own queue runs, are accepted and ignored.
/// Error: the message is how to call it; -bi, -bv, -bd and the like cannot be honoured.
Result<SendmailArguments> parse_sendmail_arguments(std::string_view program,
                                                   std::span<const char* const> arguments);

/// qmail-inject's arguments that do the same, with its name.
std::vector<std::string> inject_arguments(const SendmailArguments& arguments);

}  // namespace postern::inject

// What qmail-inject is told: its arguments, its environment, its control files (qmail-inject(8)).
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "mail/address_list.h"

namespace postern::inject {

/// Who gets the message.
enum class Recipients {
  arguments_or_header,  // -A, the default: the arguments; the header where there are none
  arguments,            // -a
  header,               // -h
  both,                 // -H
};

struct Arguments {
  Recipients recipients = Recipients::arguments_or_header;
  std::optional<std::string> sender;  // -f
  bool print = false;                 // -n: print the message instead of queueing it
  std::vector<std::string> addresses;
};
/// `arguments` without the program's name. Error: usage.
Result<Arguments> parse_arguments(std::span<const char* const> arguments);

struct Settings {
  Arguments arguments;

  std::string user;                        // of From
  std::string host;                        // of From, whole
  std::optional<std::string> name;         // personal name in From
  std::string sender_user;                 // of the envelope sender
  std::string sender_host;                 // whole
  std::string id_host;                     // of Message-ID
  mail::HostDefaults defaults;             // for addresses in header fields and arguments
  std::vector<std::string> mailing_lists;  // of QMAILMFTFILE

  // The letters of QMAILINJECT.
  bool address_comment_style = false;  // c: "user@host (Name)" in From
  bool ignore_return_path = false;     // s
  bool delete_from = false;            // f
  bool delete_message_id = false;      // i
  bool recipient_verp = false;         // r
  bool message_verp = false;           // m
};

using Environment = std::function<std::optional<std::string>(const char* name)>;

/// The files are read relative to the current directory: QMAILMFTFILE before, the control files
/// after changing to `qmail_home`, where the current directory then stays.
Result<Settings> read_settings(Arguments arguments, const Environment& environment,
                               const std::string& qmail_home);

}  // namespace postern::inject

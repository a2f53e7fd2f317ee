// One local delivery from begin to end: the home directory, the loop check, the .qmail file, its
// instructions in order, and the forwards together at the end. Interface: qmail-local(8).
#pragma once

#include <span>
#include <string>

#include "local/maildir.h"
#include "local/outcome.h"

namespace postern::local {

/// Descriptors.
struct Streams {
  int message = 0;   // a file
  int report = 1;    // what happened
  int problems = 2;  // what failed
};

struct Ending {
  int code;          // 0, 100 or 111
  bool left_behind;  // programs were started, and what they left running may still be there
};

/// One delivery; `arguments` without the program's name. Changes directory, umask and environment.
Ending deliver(std::span<const std::string> arguments, MaildirNames& names,
               const Streams& streams = {});

/// qmail-local: everything after main(), whose arguments these are. Stays for further deliveries to
/// the same user where qmail-lspawn offers that (wire/kept_worker.h), as long as all went well and
/// nothing but mailboxes was touched. The exit code: 0, 100 or 111.
int run(std::span<char* const> arguments);

/// Largest .qmail file, in bytes.
inline constexpr std::size_t most_dot_qmail_bytes = 1 << 20;

}  // namespace postern::local

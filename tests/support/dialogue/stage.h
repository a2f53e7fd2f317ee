// What surrounds the server of a dialogue: a qmail home of its own with control files, and the
// stand-ins for the checker, the queue and the recipient check, told what to do and watched.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "support/dialogue/script.h"
#include "support/temporary_directory.h"

namespace postern::test {

/// What the script wants the stand-ins to do.
struct Roles {
  struct Login {
    std::string user;
    std::string secret;  // empty: any
  };
  std::vector<Login> logins;        // that the checker accepts
  std::string checker = "honest";   // or: anybody, crash, no-pipe, unwritten
  std::string queue = "accept";     // or: exit, text, crash, unstarted, no-fork
  int queue_exit = 0;               // with exit
  std::string queue_text;           // with text, on descriptor 6
  std::string recipients = "exit";  // or: crash, unstarted
  int recipients_exit = 0;
  struct Plugin {
    std::string how = "print";  // or: exit, crash, unstarted
    std::string output;         // with print
    int exit = 0;               // with exit
  };
  std::vector<Plugin> plugins;  // of qmail-spp; the first is run as ./plugin-1
  bool addresses_known = true;  // of the host
};

/// What a stand-in for the checker does with the bytes of descriptor 3.
bool accepts(const Roles& roles, std::string_view bytes);

class Stage {
 public:
  /// Makes the home and the environment from the script's first steps. Error: an unknown step.
  static Result<Stage> set(const std::vector<Step>& script);

  Roles roles;
  std::vector<std::string> arguments;  // of the server program
  std::optional<unsigned> most_files;  // its limit of open descriptors

 private:
  Status take(const Step& step);
};

/// Steps that set the stage, in contrast to those that are played.
bool is_setting(const Step& step);

}  // namespace postern::test

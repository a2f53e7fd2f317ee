// Whether the qmail-remote that would run is Postern's own. It can be asked for more than qmail
// asks of one; a script in front of it, or another program in its place, was written for qmail's
// way.
#pragma once

#include <string>

namespace postern::spawning {

/// A program file of ours: not a script, and with wire::takes_several_mark in it.
bool is_own_remote(const std::string& file);

class OwnRemote {
 public:
  /// The file that `program` means in $PATH, if it is ours; empty: it is not. The file is read
  /// again when it has changed.
  const std::string& find(const std::string& program);

 private:
  std::string seen_;     // the file, and its version
  std::string program_;  // what came of it
};

}  // namespace postern::spawning

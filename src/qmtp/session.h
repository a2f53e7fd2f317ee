// What a server of packages is to the loop that owns the connection.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "posix/program.h"
#include "qmtp/package_parser.h"

namespace postern::qmtp {

struct Answer {
  std::string text{};         // for the client
  std::optional<int> exit{};  // end with this code when the text has been sent
  std::string log{};          // why, for the log; empty: nothing to say
};

class Session {
 public:
  virtual ~Session() = default;
  /// Takes bytes off `bytes`: all, unless there is something to answer before the next.
  virtual Answer feed(std::string_view& bytes) = 0;
};

/// The connection ends without a word to the client, which will try again.
inline Answer end(int code, std::string log = {}) { return {.exit = code, .log = std::move(log)}; }

/// How a connection ends whose package is none that can be read. Nothing: it can.
inline std::optional<Answer> end_of(PackageParser::State state) {
  if (state == PackageParser::State::malformed) return end(exit_code::permanent);
  if (state == PackageParser::State::too_large) return end(exit_code::temporary);
  return std::nullopt;
}

}  // namespace postern::qmtp

// A server under test, as the other side of a dialogue: the session object, or the program.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "support/dialogue/stage.h"

namespace postern::test {

/// What the stand-ins have been given.
struct Seen {
  std::optional<std::string> message;          // of the last message that was queued
  std::optional<std::string> envelope;         // its descriptor 1
  std::optional<std::string> checked;          // descriptor 3 of the last login
  std::optional<std::string> environment;      // of the last plugin: NAME=VALUE, each with a NUL
  std::optional<std::string> recipient_check;  // "SENDER RECIPIENT" of the last one
  std::string log;                             // descriptor 2
};

class Server {
 public:
  virtual ~Server() = default;
  virtual void send(std::string_view bytes) = 0;
  /// The client sends nothing more.
  virtual void hang_up() = 0;
  /// The client says nothing until the server has had enough.
  virtual void be_silent() = 0;
  /// The next reply line without its CR LF; nothing when there is none.
  virtual std::optional<std::string> read_line() = 0;
  /// The exit code, once the server has closed the connection without another byte.
  virtual std::optional<int> end() = 0;
  /// How long the last line that was read was held back.
  virtual std::chrono::milliseconds pause() = 0;
  virtual Seen seen() = 0;
};

std::unique_ptr<Server> start_session(const Stage& stage);
/// `program` is qmail-smtpd, `stand_in` the program that plays the others.
std::unique_ptr<Server> start_program(const Stage& stage, const std::string& program,
                                      const std::string& stand_in);

}  // namespace postern::test

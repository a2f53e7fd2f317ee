// Carries a Session over a socket: the one place where qmail-remote waits for its peer.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>

#include "mail/smtp_reply.h"
#include "posix/clock.h"
#include "remote/body.h"
#include "remote/session.h"

namespace postern::remote {

/// Reads and writes at once, so that neither side waits for the other when many commands and their
/// replies are under way (RFC 2920 4.1). Every reply as a whole, and every piece written, may take
/// `timeout`. Borrows the session and both descriptors; the socket is non-blocking.
class Conversation {
 public:
  Conversation(Session& session, int socket) : session_(session), socket_(socket) {}
  /// Returns when the session is finished.
  void run(int message, std::chrono::milliseconds timeout);
  /// Whether the session is open, and the server has neither said more nor gone.
  [[nodiscard]] bool may_go_on() const;
  /// Says QUIT where the server would take it for that, and waits for nothing.
  void quit();

 private:
  void step();
  void fill_from_message();
  [[nodiscard]] bool begin_message();
  void end_message();
  [[nodiscard]] bool write_what_fits();
  bool read_replies();
  void feed(std::string_view bytes);

  Session& session_;
  int socket_;
  int message_ = -1;
  std::chrono::milliseconds timeout_{};
  Deadline deadline_ = Deadline::never();
  mail::SmtpReplyParser parser_;
  std::optional<BodyEncoder> encoder_;  // while the message is being read
  std::optional<off_t> begin_;          // of the message, once it has been read
  std::string output_;
  std::size_t written_ = 0;  // of output_
  bool left_over_ = false;   // bytes behind the last reply
};

}  // namespace postern::remote

// A connection to a server, which may stay for messages after the first: several transactions in
// one session (RFC 5321 3.3), as a burst of mail for one host has them.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "posix/fd.h"
#include "remote/controls.h"
#include "remote/conversation.h"
#include "remote/route.h"
#include "remote/session.h"

namespace postern::remote {

/// What decides where a message goes, and what is said there before it. Found out anew for each
/// message; with other terms it gets a connection of its own.
struct Terms {
  std::string host;
  std::string helohost;
  std::optional<Route> route;

  bool operator==(const Terms&) const = default;
};

class Connection {
 public:
  /// DNS may send mail elsewhere meanwhile, or a better exchanger come back.
  static constexpr std::chrono::minutes lifetime{5};

  Connection(Terms terms, Fd socket, Envelope envelope, std::string peer)
      : terms_(std::move(terms)),
        socket_(std::move(socket)),
        session_(std::move(envelope), std::move(peer)) {}
  Connection(const Connection&) = delete;  // the conversation has the session's address
  Connection& operator=(const Connection&) = delete;
  ~Connection() { conversation_.quit(); }

  /// The first message, or after go_on() another. The session has the report.
  const Session& deliver(int message, std::chrono::milliseconds timeout) {
    conversation_.run(message, timeout);
    return session_;
  }
  /// Whether another message may follow, with these terms.
  [[nodiscard]] bool serves(const Terms& terms) const {
    return terms == terms_ && !end_.passed() && conversation_.may_go_on();
  }
  void go_on(Envelope envelope) { session_.go_on(std::move(envelope)); }
  [[nodiscard]] bool is_open() const { return session_.is_open(); }

 private:
  Terms terms_;
  Deadline end_ = Deadline::after(lifetime);
  Fd socket_;
  Session session_;
  Conversation conversation_{session_, socket_.get()};
};

/// A connection that a delivery has left open for the next one; empty: none.
using OpenConnection = std::unique_ptr<Connection>;

}  // namespace postern::remote

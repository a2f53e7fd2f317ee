// What a session asks of the programs and the machine around it. Each is an interface, so that
// tests can stand in for them.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "smtpd/auth_exchange.h"
#include "wire/message_queue.h"

namespace postern::smtpd {

/// Says whether somebody is who he says, and tells others of it.
class PasswordChecker {
 public:
  enum class Verdict {
    accepted,
    rejected,
    no_pipe,    // the reason is on our side: nothing was asked
    unwritten,  // likewise
    unstarted,  // the program cannot be run
    failed,     // it crashed, or never ended
  };
  virtual ~PasswordChecker() = default;
  /// `bytes` are for descriptor 3 (docs/wire/checkpassword.md).
  virtual Verdict check(const std::string& bytes) = 0;
  /// Tries a user and a password that nobody has. True: it would make an open relay of us.
  virtual bool accepts_anybody() = 0;
  /// From now on the programs we start see the login in their environment.
  virtual void announce(std::string_view user, Mechanism mechanism) = 0;
};

using wire::MessageQueue;
using wire::OutgoingMessage;

/// $RCPTCHECK: a program of the administrator's that knows the mailboxes.
class RecipientCheck {
 public:
  enum class Verdict { accept, no_mailbox, try_later, broken };
  virtual ~RecipientCheck() = default;
  virtual Verdict check(const std::string& sender, const std::string& recipient) = 0;
};

/// The programs that qmail-spp's configuration names, and the environment they find.
class PluginPrograms {
 public:
  virtual ~PluginPrograms() = default;
  /// What it has printed. Error: it could not be run, crashed, took too long or printed too much.
  virtual Result<std::string> run(const std::string& plugin) = 0;
  /// From now on the programs we start see the variable so.
  virtual void set(const std::string& name, std::string_view value) = 0;
  virtual void unset(const std::string& name) = 0;
};

/// The network addresses of this machine.
class HostAddresses {
 public:
  virtual ~HostAddresses() = default;
  /// Whether a domain literal, "[192.0.2.1]" or "[IPv6:2001:db8::1]", is one of them.
  virtual Result<bool> are_named_by(std::string_view literal) = 0;
};

struct Services {
  PasswordChecker& checker;
  MessageQueue& queue;
  RecipientCheck& recipient_check;
  PluginPrograms& plugins;
  HostAddresses& addresses;
  std::function<std::int64_t()> now;  // seconds since 1970
  pid_t pid = 0;                      // of this process
};

}  // namespace postern::smtpd

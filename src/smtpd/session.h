// The SMTP dialogue (RFC 5321) as qmail holds it: lines and bytes in, replies out. Reads and writes
// nothing itself; the connection is in connection.h. Described in docs/wire/smtpd.md.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "smtpd/auth_exchange.h"
#include "smtpd/replies.h"
#include "smtpd/services.h"
#include "smtpd/settings.h"
#include "smtpd/spp_session.h"
#include "smtpd/transaction.h"

namespace postern::smtpd {

/// What the client gets for its input.
struct Answer {
  std::string text{};                  // replies with their CRLFs; may be empty
  std::chrono::milliseconds pause{0};  // to wait before the text is sent
  std::optional<int> exit{};           // close the connection then, and exit with this code
  std::string log{};                   // a line for the log, why; empty: none
};

class Session {
 public:
  /// Longest line taken, in bytes without its end: RFC 4954's limit for AUTH, and the command.
  static constexpr std::size_t most_line_bytes = 12288 + 64;
  /// What a client calls itself is cut to this before it goes into a header (RFC 5321 4.5.3.1.2).
  static constexpr std::size_t most_name_bytes = 255;
  /// After so many refused logins the connection is closed. Few enough to make guessing tedious,
  /// more than any client needs that tries each mechanism (RFC 4954 4 asks for at least 3).
  static constexpr int most_failed_logins = 20;
  /// All the lines of a connection together: the envelopes of a few hundred mailing lists. A client
  /// with more to say comes back.
  static constexpr std::uint64_t most_command_bytes = 256 << 20;

  Session(Settings settings, Services services);

  Answer greet();
  /// A line without its LF, when in_data() is false. One CR at its end does not count.
  Answer feed_line(std::string_view line);
  /// Instead of a line with more than most_line_bytes.
  Answer line_too_long();

  /// Whether the message is being sent: bytes are to be fed, not lines.
  [[nodiscard]] bool in_data() const { return incoming_.has_value(); }
  struct Taken {
    std::size_t bytes;  // consumed; more than that is for feed_line()
    Answer answer;
  };
  Taken feed_data(std::string_view bytes);

  /// Whether the client has said AUTH, and perhaps a password.
  [[nodiscard]] bool has_seen_auth() const { return has_seen_auth_; }

  /// The client has been silent for too long.
  static Answer time_out();
  /// The client has sent more than most_command_bytes, in lines.
  static Answer too_many_commands();

 private:
  struct Verb;
  static const Verb verbs[];

  Answer on_auth(std::string_view argument);
  Answer on_data(std::string_view argument);
  Answer on_ehlo(std::string_view argument);
  Answer on_helo(std::string_view argument);
  Answer on_help(std::string_view argument);
  Answer on_mail(std::string_view argument);
  Answer on_noop(std::string_view argument);
  Answer on_quit(std::string_view argument);
  Answer on_rcpt(std::string_view argument);
  Answer on_rset(std::string_view argument);
  Answer on_vrfy(std::string_view argument);

  void forget_transaction();
  std::vector<std::string> extensions();
  bool auth_available();
  Answer continue_auth(AuthExchange::State state);
  Answer log_in();
  Answer refuse_login(std::string_view user);

  Status localise(std::string& address);
  Answer ask_plugins_or_add(std::string recipient);
  Answer refuse_recipient_or_add(const std::string& recipient, bool hosts_ok);
  Answer verify_recipient(const std::string& recipient);
  Answer add_recipient(const std::string& recipient);

  Answer open_message();
  std::string format_trace(const Transaction& transaction) const;
  void take_decoded(std::string_view decoded);
  Answer give_up_reading();
  Answer finish_message();

  Settings settings_;
  Services services_;
  SppSession spp_;
  bool sent_away_ = false;  // the greeting was a refusal
  std::optional<std::string> helo_;
  bool extended_ = false;  // the client has said EHLO
  bool authenticated_ = false;
  bool has_seen_auth_ = false;
  int failed_logins_ = 0;
  std::optional<bool> checker_is_open_;  // accepts anybody; found out when it first matters
  std::optional<AuthExchange> exchange_;
  std::optional<Transaction> transaction_;
  std::optional<IncomingMessage> incoming_;
  std::string decoded_;  // room for a piece of the message, kept
};

}  // namespace postern::smtpd

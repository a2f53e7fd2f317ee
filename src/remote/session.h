// The client's side of one SMTP conversation (RFC 5321, 1870, 2920, 4954), without any I/O: replies
// go in, bytes to send and at last the report come out. The report is that of wire/remote_report.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "mail/smtp_reply.h"
#include "remote/auth.h"
#include "remote/auth_dialogue.h"
#include "remote/route.h"
#include "wire/remote_report.h"

namespace postern::remote {

/// What is to be said to the server.
struct Envelope {
  std::string helohost;
  std::string sender;  // as the queue holds it; empty for bounces
  std::vector<std::string> recipients;
  std::optional<Credentials> credentials;      // present: never deliver without them
  std::optional<std::uint64_t> message_bytes;  // as told to a server that asks for the size
};

/// Whether SMTP can carry an address: no controls anywhere, and in its host no blank and no angle
/// bracket, which would end the command's path.
bool is_sendable(std::string_view address);
inline constexpr std::string_view unsendable_recipient =
    "Sorry, SMTP cannot carry the characters of this address. (#5.1.3)\n";

class Session {
 public:
  /// `peer` is the server's address as reports show it.
  Session(Envelope envelope, std::string peer);

  /// The bytes to send that have come up since the last call.
  std::string take_output() { return std::exchange(output_, {}); }
  /// DATA has been accepted: the message is to be sent, from its begin, and the next two to be
  /// called. Of a message whose size is known this may happen more than once.
  [[nodiscard]] bool wants_message() const { return state_ == State::message; }
  /// The bytes that end the message are about to be sent: from now on the server may have it.
  void message_ending() { state_ = State::ending; }
  /// All of them have been sent. Only after this may the server say that it has the message.
  void message_sent() { state_ = State::final; }
  [[nodiscard]] bool is_ending_message() const { return state_ == State::ending; }
  /// The report is whole. What is left: go_on(), if is_open(), or quit().
  [[nodiscard]] bool finished() const { return state_ == State::finished; }
  /// The server waits for another command, and has answered all that it got.
  [[nodiscard]] bool is_open() const { return open_; }
  /// Another message over the same connection: with the same helohost, and the same credentials.
  void go_on(Envelope envelope);
  /// The message that went on over an open connection met one that was over, and cannot have
  /// arrived: there is no report, and it is to be sent as if there had been no connection.
  [[nodiscard]] bool is_stale() const { return stale_; }
  /// Puts QUIT into the output, if the server can take it for a command. Its reply is not awaited.
  void quit();

  void on_reply(const mail::SmtpReply& reply);
  /// The server does not speak SMTP; `text` is what it said.
  void on_malformed_reply(std::string_view text);
  /// The connection is gone.
  void on_connection_lost();
  /// The server did not answer in time.
  void on_timeout();
  /// The message cannot be sent to its end; `text` says why, after its letter, Z or D.
  void on_message_failure(std::string_view text);

  /// Every record, for descriptor 1.
  [[nodiscard]] std::string report() const;
  /// The server would not even greet: nothing has been said, and another may be asked.
  [[nodiscard]] bool was_not_greeted() const { return not_greeted_; }

 private:
  enum class State {
    greeting,
    ehlo,
    helo,
    auth,
    ready,
    reset,
    mail,
    recipient,
    data,
    no_recipients,
    message,
    ending,
    final,
    finished,
  };

  void on_greeting(const mail::SmtpReply& reply);
  void on_ehlo(const mail::SmtpReply& reply);
  void on_helo(const mail::SmtpReply& reply);
  void on_auth(const mail::SmtpReply& reply);
  void on_reset(const mail::SmtpReply& reply);
  void on_mail(const mail::SmtpReply& reply);
  void on_recipient(const mail::SmtpReply& reply);
  void on_data(const mail::SmtpReply& reply);
  void on_message(const mail::SmtpReply& reply);
  void on_final(const mail::SmtpReply& reply);

  /// What a recipient's record will say.
  struct Answer {
    wire::RecipientVerdict verdict = wire::RecipientVerdict::accepted;
    std::string text{};
    bool refused = false;   // by the server
    bool too_many = false;  // for this transaction; another may take it
  };

  void send(std::string_view line) { output_.append(line).append("\r\n"); }
  void start_auth();
  void start_mail();
  void send_mail();
  void next_recipient();
  void set_answer(Answer answer);
  bool start_another_transaction(const mail::SmtpReply& reply);
  void start_data();

  /// "<letter>Connected to 192.0.2.1 but <what>.\n", then what the server said.
  [[nodiscard]] std::string connected_record(char letter, std::string_view what,
                                             std::string_view said) const;
  void finish_connected(char letter, std::string_view what, std::string_view said);
  void finish(char letter, std::string_view text, std::string_view said = {});
  void give_up();
  [[nodiscard]] std::string giving_up() const { return "Giving up on " + peer_ + ".\n"; }
  void finish_with(std::string record);
  void lose_connection();
  void start_afresh();
  [[nodiscard]] bool may_start_afresh() const;
  [[nodiscard]] bool has_all_replies() const;
  void end_later_transaction(std::string_view record);
  /// What a report adds when the server may have the message, and we do not know.
  [[nodiscard]] std::string doubt() const;
  void protocol_error(std::string_view said);

  Envelope envelope_;
  std::string peer_;
  State state_ = State::greeting;
  Extensions extensions_;
  std::optional<AuthDialogue> auth_;
  std::string auth_rejection_;      // the record for a rejected mechanism, while another is tried
  std::vector<std::size_t> asked_;  // the recipients of this transaction
  std::size_t next_ = 0;            // of asked_: whose reply is awaited
  bool pipelined_ = false;          // MAIL, RCPT and DATA are on their way already
  bool accepted_any_ = false;
  bool not_greeted_ = false;
  bool went_on_ = false;  // over a connection that has had a transaction before
  bool closing_ = false;  // the server has said so, or does not speak SMTP
  bool open_ = false;
  bool stale_ = false;
  bool reset_first_ = false;  // a transaction may still be open
  bool hears_us_ = true;      // when it is told to quit
  std::string output_;
  std::vector<Answer> answers_;  // of the recipients, from the first
  std::string delivered_;        // the record of the first transaction, if others have followed it
  std::string message_record_;
  bool gave_up_ = false;  // as it says
};

}  // namespace postern::remote

// Every reply of qmail-smtpd, word for word as qmail and its AUTH patches give them: administrators
// search logs for them and programs in front of the server look at them.
#pragma once

#include <string>
#include <string_view>

namespace postern::smtpd {

struct Reply {
  int code;
  std::string_view status;  // the enhanced status code (RFC 3463); empty: none is shown
  std::string_view text;
};

/// "503 MAIL first (#5.5.1)" and CRLF.
std::string format_reply(const Reply& reply);
/// "221 mail.example.org" and CRLF.
std::string format_reply(int code, std::string_view text);

namespace reply {

inline constexpr Reply ok{250, "", "ok"};
inline constexpr Reply flushed{250, "", "flushed"};
inline constexpr Reply go_ahead{354, "", "go ahead"};
inline constexpr Reply help{214, "", "qmail home page: https://cr.yp.to/qmail.html"};
inline constexpr Reply vrfy{252, "", "send some mail, i'll try my best"};
inline constexpr Reply unimplemented{502, "5.5.1", "unimplemented"};
inline constexpr Reply line_too_long{500, "5.5.2", "line too long"};

inline constexpr Reply want_mail{503, "5.5.1", "MAIL first"};
inline constexpr Reply want_rcpt{503, "5.5.1", "RCPT first"};
inline constexpr Reply sent_away{503, "5.5.1", "bad sequence of commands"};
inline constexpr Reply plugin_failed{451, "4.3.0", "qmail-spp failure"};
inline constexpr Reply syntax{555, "5.5.4", "syntax error"};
inline constexpr Reply bad_sender{553, "5.7.1",
                                  "sorry, your envelope sender is in my badmailfrom list"};
inline constexpr Reply bad_recipient{553, "5.7.1", "sorry, mail to that recipient is not accepted"};
inline constexpr Reply no_relay{553, "5.7.1",
                                "sorry, that domain isn't in my list of allowed rcpthosts"};
inline constexpr Reply no_mailbox{553, "5.1.1", "sorry, no mailbox here by that name."};
inline constexpr Reply too_many_recipients{452, "4.5.3", "too many recipients"};
inline constexpr Reply too_big{552, "5.3.4", "sorry, that message size exceeds my databytes limit"};
inline constexpr Reply looping{554, "5.4.6", "too many hops, this message is looping"};
inline constexpr Reply no_queue{451, "4.3.0", "qqt failure"};

// After these the connection is closed.
inline constexpr Reply bare_lf{451, "", "See https://cr.yp.to/docs/smtplf.html."};
inline constexpr Reply timeout{451, "4.4.2", "timeout"};
inline constexpr Reply no_controls{421, "4.3.0", "unable to read controls"};
inline constexpr Reply no_addresses{421, "4.3.0", "unable to figure out my IP addresses"};
inline constexpr Reply recipient_unverified{421, "4.3.0", "unable to verify recipient"};
inline constexpr Reply too_many_commands{421, "4.7.0", "too many commands"};
inline constexpr Reply too_many_logins{421, "4.7.0", "too many failed logins"};
inline constexpr Reply no_recipient_check{421, "4.3.0", "unable to execute recipient check"};
/// Written whole when memory has run out.
inline constexpr const char* out_of_memory = "421 out of memory (#4.3.0)\r\n";

inline constexpr Reply authenticated{235, "2.0.0", "ok, go ahead"};
inline constexpr Reply auth_off{503, "5.3.3", "auth not available"};
inline constexpr Reply already_authenticated{503, "5.5.0", "you're already authenticated"};
inline constexpr Reply auth_in_transaction{503, "5.5.0", "no auth during mail transaction"};
inline constexpr Reply auth_unknown{504, "5.5.1", "auth type unimplemented"};
inline constexpr Reply auth_malformed{501, "5.5.4", "malformed auth input"};
/// The blank at the end is part of what clients have always been sent.
inline constexpr Reply auth_required{530, "", "Authorization required (#5.7.1) "};
inline constexpr Reply checker_failed{454, "4.3.0", "oops, problem with child and I can't auth"};
inline constexpr Reply checker_unstarted{454, "4.3.0", "oops, child won't start and I can't auth"};
inline constexpr Reply no_checker_pipe{454, "4.3.0", "oops, unable to open pipe and I can't auth"};
inline constexpr Reply checker_unwritten{454, "4.3.0",
                                         "oops, unable to write pipe and I can't auth"};
// The two families of AUTH patches differ in words: the first has the host name before the checker
// among its arguments, the second does not.
inline constexpr Reply auth_rejected_host_first{535, "5.7.0", "authorization failed"};
inline constexpr Reply auth_rejected_checker_first{535, "5.7.1", "authentication failed"};
inline constexpr Reply auth_cancelled_host_first{501, "5.0.0", "auth exchange cancelled"};
inline constexpr Reply auth_cancelled_checker_first{501, "5.0.0", "auth exchange canceled"};

}  // namespace reply
}  // namespace postern::smtpd

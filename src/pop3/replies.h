// Every reply of qmail-popup and qmail-pop3d, word for word as qmail gives them: programs in front
// of the server look at them. "+OK " has its blank at the end.
#pragma once

#include <string>
#include <string_view>

namespace postern::pop3 {

/// "-ERR authorization first" and CRLF.
inline std::string format_error(std::string_view text) {
  return std::string("-ERR ").append(text).append("\r\n");
}

namespace reply {

inline constexpr std::string_view ok = "+OK \r\n";
inline constexpr std::string_view end_of_list = ".\r\n";
/// RFC 2449, the same before and after the login. USER is there, APOP shows in the greeting.
/// Commands may be sent ahead even over the login: qmail-popup reads no further than its own.
inline constexpr std::string_view capabilities =
    "+OK capabilities follow\r\nTOP\r\nUSER\r\nUIDL\r\nPIPELINING\r\nEXPIRE NEVER\r\n.\r\n";

inline constexpr std::string_view syntax = "syntax error";
inline constexpr std::string_view line_too_long = "line too long";

// Before the login.
inline constexpr std::string_view usage = "usage: popup hostname subprogram";
inline constexpr std::string_view login_first = "authorization first";
inline constexpr std::string_view user_first = "USER first";
inline constexpr std::string_view no_pipe = "unable to open pipe";
inline constexpr std::string_view unwritten = "unable to write pipe";
inline constexpr std::string_view unstarted = "unable to run the checker";
inline constexpr std::string_view crashed = "aack, child crashed";
inline constexpr std::string_view refused = "authorization failed";

// After it.
inline constexpr std::string_view no_maildir = "this user has no $HOME/Maildir";
inline constexpr std::string_view no_scan = "unable to scan $HOME/Maildir";
inline constexpr std::string_view unimplemented = "unimplemented";
inline constexpr std::string_view deleted = "already deleted";
inline constexpr std::string_view zero = "messages are counted from 1";
inline constexpr std::string_view too_big = "not that many messages";
inline constexpr std::string_view no_such_message = "unable to open that message";
inline constexpr std::string_view not_all_deleted = "unable to unlink all deleted messages";
/// Written whole when memory has run out.
inline constexpr const char* out_of_memory = "-ERR out of memory\r\n";

}  // namespace reply
}  // namespace postern::pop3

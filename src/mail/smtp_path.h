// The argument of SMTP's MAIL and RCPT (RFC 5321 4.1.1.2, 4.1.1.3), read as generously as qmail
// reads it: an address in angle brackets anywhere, or whatever stands after the colon.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace postern::mail {

struct SmtpPath {
  std::string address;          // without quotes, backslashes and source route; may be empty
  std::string_view parameters;  // what follows the '>'; a view into the argument
};

/// Never fails: what is not a path of the RFC's grammar is taken as text. "FROM:<a@b> SIZE=3",
/// "from : a@b", "<a@b>" and "a@b" all give a@b. The address may hold any byte but CR LF pairs.
SmtpPath parse_smtp_path(std::string_view argument);

/// The parameters of MAIL that a server acts upon; others are passed over.
struct MailParameters {
  std::optional<std::uint64_t> size;  // SIZE= (RFC 1870), in bytes; at most the largest number
  std::optional<std::string> auth;    // AUTH= (RFC 4954 5), decoded; "<>" as it is
  bool malformed = false;             // SIZE= without a number
};
MailParameters parse_mail_parameters(std::string_view parameters);

}  // namespace postern::mail

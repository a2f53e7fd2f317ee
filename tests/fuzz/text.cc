// Bytes to values and back: base64, netstrings, numbers, dates, xtext, quoting, what is made safe.
#include <array>

#include "base/ascii.h"
#include "base/base64.h"
#include "base/dates.h"
#include "base/integers.h"
#include "base/netstring.h"
#include "base/sanitize.h"
#include "fuzz/support/input.h"
#include "mail/address.h"
#include "mail/bounce.h"
#include "mail/header.h"
#include "mail/smtp_path.h"
#include "mail/smtp_received.h"
#include "mail/tokens.h"
#include "mail/xtext.h"

namespace postern::fuzz {
namespace {

void base64(std::string_view text) {
  require(parse_base64(format_base64(text)) == text, "base64 comes back");
  if (const auto bytes = parse_base64(text)) {
    require(parse_base64(format_base64(*bytes)) == *bytes, "base64 has one meaning");
  }
}

void netstring(std::string_view text) {
  std::string_view rest = text;
  if (const auto taken = take_netstring(rest)) {
    require(format_netstring(*taken) + std::string(rest) == text, "a netstring is spelt one way");
  } else {
    require(rest == text, "what is no netstring stays");
  }
  const std::string whole = format_netstring(text);
  rest = whole;
  require(take_netstring(rest) == text && rest.empty(), "a netstring comes back");
}

void number(std::string_view text) {
  const auto value = parse_decimal(text);
  if (!value) return;
  const std::size_t zeros = std::min(text.find_first_not_of('0'), text.size() - 1);
  require(std::to_string(*value) == text.substr(zeros), "a number comes back");
  const std::uint64_t root = integer_square_root(*value);
  require(root * root <= *value && *value - root * root <= 2 * root, "it is the root");
}

void date(std::string_view text) {
  const auto seconds = parse_date(text);
  if (!seconds) return;
  require(seconds_since_1970(civil_time(*seconds)) == *seconds, "a date is one moment");
  const std::int64_t year = civil_time(*seconds).year;  // a zone may move it out of the calendar
  if (year < 1900 || year > 9999) return;
  const auto again = parse_date(format_date(*seconds));
  require(again && *again == *seconds, "a date comes back");
  require(is_printable(format_mbox_date(*seconds)), "a From line is one line");
}

void xtext(std::string_view text) {
  const std::string encoded = mail::format_xtext(text);
  require(std::ranges::all_of(encoded, is_visible), "xtext is one word");
  require(mail::parse_xtext(encoded) == text, "xtext comes back");
  require(mail::parse_xtext(text).size() <= text.size(), "decoding does not grow");
}

void sanitized(std::string_view text) {
  const std::string logged = sanitize_for_log(text);
  require(logged.size() == text.size() && std::ranges::all_of(logged, is_visible),
          "what is logged is one word");
  const std::string trace =
      mail::format_smtp_received({.remote_host = std::string(text),
                                  .helo = std::string(text.substr(text.size() / 2)),
                                  .info = std::string(text),
                                  .remote_ip = std::string(text),
                                  .local = std::string(text),
                                  .protocol = "SMTP"});
  require(std::ranges::count(trace, '\n') == 2 && trace.contains("\n  by "),
          "Received is one field of two lines");
  require(is_printable(replace_all(trace, '\n', ' ')), "Received holds nothing else");
}

void quoting(std::string_view address) {
  const auto parts = mail::split_address(address);
  const std::string quoted = mail::quote_address(address);
  // RFC 5321 has no way to quote a host name; one that the grammar cannot hold is refused
  // elsewhere.
  if (!std::ranges::all_of(parts.host, is_visible) ||
      parts.host.find_first_of("<>\"\\") != parts.host.npos) {
    return;
  }
  const std::string argument = "TO:<" + quoted + "> SIZE=1";
  const auto path = mail::parse_smtp_path(argument);
  require(path.address == address && path.parameters == " SIZE=1", "a quoted address comes back");
  const std::string local = mail::quote_local_part(parts.local);
  const auto tokens = mail::tokenize(local);
  require(tokens.has_value(), "a quoted local part is words");
  if (!local.starts_with('"') || local.find_first_of("\r\n") != local.npos) return;
  require(tokens->size() == 1 && mail::unquote(local) == parts.local, "one word comes back");
}

void smtp_path(std::string_view argument) {
  const auto path = mail::parse_smtp_path(argument);
  require(path.address.size() <= argument.size(), "an address does not grow");
  const auto parameters = mail::parse_mail_parameters(path.parameters);
  require(!parameters.auth || parameters.auth->size() <= argument.size(), "nor does AUTH=");
}

void verp(std::string_view text) {
  const std::string_view sender = text.substr(0, text.find('\n'));
  const std::string_view recipient = text.substr(std::min(sender.size() + 1, text.size()));
  require(mail::bounce_address(sender).size() <= sender.size(), "a bounce goes to what was there");
  require(mail::expand_verp(sender, recipient).size() <= sender.size() + recipient.size(),
          "VERP adds the recipient");
}

void bounce(std::string_view text) {
  const std::string_view address = text.substr(0, text.find('\0'));
  const std::string_view report = text.substr(std::min(address.size() + 1, text.size()));
  const std::string paragraph = mail::format_bounce_paragraph(address, report);
  require(paragraph.find("\n\n") == paragraph.size() - 2,
          "a paragraph has one blank line, its end");
  require(paragraph.starts_with('<'), "a paragraph begins with its address");
}

void header(std::string_view line) {
  const auto name = mail::field_name(line);
  if (!name) return;
  require(std::ranges::all_of(*name, is_visible) && !name->contains(':'), "a name is one word");
  require(mail::field_body(line).size() < line.size(), "a field has a colon");
}

constexpr std::array tries = {base64,  netstring, number, date,   xtext, sanitized,
                              quoting, smtp_path, verp,   bounce, header};

}  // namespace

void try_input(Input input) { tries[input.choose(tries.size())](input.rest()); }

}  // namespace postern::fuzz

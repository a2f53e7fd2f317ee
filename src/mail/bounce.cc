#include "mail/bounce.h"

#include "base/ascii.h"
#include "base/dates.h"
#include "mail/address.h"

namespace postern::mail {

std::string format_bounce_paragraph(std::string_view address, std::string_view report) {
  std::string text = "<" + replace_all(address, '\n', '_') + ">:\n";
  text += report;
  // A second line feed in a row would end the paragraph.
  for (std::size_t i = text.size(); --i > 0;) {
    if (text[i] == '\n' && text[i - 1] == '\n') text[i] = '/';
  }
  if (text.back() != '\n') text += '\n';
  text += '\n';
  return text;
}

std::string format_bounce_head(const BounceHead& head) {
  std::string text = "Date: " + format_date(head.date) + "\nFrom: ";
  text.append(quote_local_part(head.from_user)).append("@").append(head.from_host);
  text.append("\nTo: ").append(quote_address(head.to));
  text.append("\nSubject: failure notice\n\nHi. This is the qmail-send program at ");
  text.append(head.from_host).append(".\n");
  text += head.is_double
              ? "I tried to deliver a bounce message to this address, but the bounce bounced!\n\n"
              : "I'm afraid I wasn't able to deliver your message to the following addresses.\n"
                "This is a permanent error; I've given up. Sorry it didn't work out.\n\n";
  return text;
}

std::string format_bounce_break(std::string_view sender, bool is_double) {
  std::string text = is_double ? "--- Below this line is the original bounce.\n\n"
                               : "--- Below this line is a copy of the message.\n\n";
  return text.append("Return-Path: <").append(quote_address(sender)).append(">\n");
}

}  // namespace postern::mail

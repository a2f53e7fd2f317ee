#include "local/recipient.h"

#include "base/ascii.h"
#include "base/dates.h"
#include "mail/address.h"

namespace postern::local {
namespace {

constexpr std::size_t argument_count = 8;

// Takes "-n", "-N", "-nN" and "--" off the front. False: an unknown option.
bool take_options(std::span<const std::string>& arguments, bool& deliver) {
  while (!arguments.empty()) {
    const std::string_view word = arguments.front();
    if (word.size() < 2 || word.front() != '-') return true;
    arguments = arguments.subspan(1);
    if (word == "--") return true;
    for (const char option : word.substr(1)) {
      if (option != 'n' && option != 'N') return false;
      deliver = option == 'N';
    }
  }
  return true;
}

// What follows the first '-'; nothing when there is none.
std::string_view after_dash(std::string_view extension) {
  const std::size_t dash = extension.find('-');
  return dash == std::string_view::npos ? std::string_view{} : extension.substr(dash + 1);
}

// What stands before the last dot; all of it when there is none.
std::string_view before_dot(std::string_view host) { return host.substr(0, host.rfind('.')); }

}  // namespace

std::optional<Arguments> parse_arguments(std::span<const std::string> arguments) {
  Arguments parsed;
  if (!take_options(arguments, parsed.deliver)) return std::nullopt;
  if (arguments.size() != argument_count) return std::nullopt;
  parsed.recipient = {arguments[0], arguments[1], arguments[2], arguments[3],
                      arguments[4], arguments[5], arguments[6], arguments[7]};
  if (!parsed.recipient.home.starts_with('/')) return std::nullopt;
  return parsed;
}

std::string format_delivered_to(const Recipient& recipient) {
  const std::string address = recipient.local + "@" + recipient.host;
  return "Delivered-To: " + replace_all(address, '\n', '_') + "\n";
}

std::string format_return_path(std::string_view sender) {
  return "Return-Path: <" + replace_all(mail::quote_address(sender), '\n', '_') + ">\n";
}

std::string format_from_line(std::string_view sender, std::int64_t now) {
  std::string word(sender.empty() ? "MAILER-DAEMON" : sender);
  for (char& c : word) {
    if (is_blank(c) || c == '\n') c = '-';
  }
  return "From " + word + " " + format_mbox_date(now) + "\n";
}

std::vector<Variable> format_variables(const Recipient& recipient, std::int64_t now) {
  const std::string_view extension2 = after_dash(recipient.extension);
  const std::string_view extension3 = after_dash(extension2);
  const std::string_view host2 = before_dot(recipient.host);
  const std::string_view host3 = before_dot(host2);
  return {{"HOST", recipient.host},
          {"HOME", recipient.home},
          {"USER", recipient.user},
          {"LOCAL", recipient.local},
          {"RECIPIENT", recipient.local + "@" + recipient.host},
          {"DTLINE", format_delivered_to(recipient)},
          {"SENDER", recipient.sender},
          {"RPLINE", format_return_path(recipient.sender)},
          {"UFLINE", format_from_line(recipient.sender, now)},
          {"EXT", recipient.extension},
          {"EXT2", std::string(extension2)},
          {"EXT3", std::string(extension3)},
          {"EXT4", std::string(after_dash(extension3))},
          {"HOST2", std::string(host2)},
          {"HOST3", std::string(host3)},
          {"HOST4", std::string(before_dot(host3))}};
}

std::string safe_extension(std::string_view extension) {
  return replace_all(lower(extension), '.', ':');
}

}  // namespace postern::local

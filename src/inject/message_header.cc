#include "inject/message_header.h"

#include <algorithm>
#include <cstdio>

#include "base/ascii.h"
#include "base/dates.h"
#include "mail/address.h"
#include "mail/header.h"

namespace postern::inject {
namespace {

std::unexpected<Error> unable_to_parse(std::string_view line) {
  return failure("unable to parse this line:\n" + std::string(trim_end(line)));
}

void append(std::vector<std::string>& to, const std::vector<std::string>& from) {
  to.insert(to.end(), from.begin(), from.end());
}

// RFC 5322 3.2.4: in a quoted string only these two need a backslash.
std::string quoted_string(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + "\"";
}

std::string comment(std::string_view text) {
  std::string commented = "(";
  for (const char c : text) {
    if (c == '(' || c == ')' || c == '\\') commented += '\\';
    commented += c;
  }
  return commented + ")";
}

// "Joe" <joe@host>, or joe@host (Joe), or joe@host.
std::string from_body(const Settings& settings) {
  std::string address = mail::quote_address(settings.user + "@" + settings.host);
  if (!settings.name) return address;
  if (settings.address_comment_style) return address + " " + comment(*settings.name);
  return quoted_string(*settings.name) + " <" + address + ">";
}

// With VERP letters: "user-20020802151626.4711-@host-@[]".
std::string default_sender(const Settings& settings, const Stamp& stamp) {
  std::string sender = settings.sender_user;
  if (settings.message_verp) sender += "-" + format_stamp(stamp);
  if (settings.recipient_verp) sender += "-";
  sender += "@" + settings.sender_host;
  if (settings.recipient_verp) sender += "-@[]";
  return sender;
}

bool contains_ignoring_case(const std::vector<std::string>& list, std::string_view text) {
  return std::ranges::any_of(
      list, [&](const std::string& entry) { return equal_ignoring_case(entry, text); });
}

}  // namespace

std::string format_stamp(const Stamp& stamp) {
  const CivilTime time = civil_time(stamp.now);
  char digits[64];
  const int size = std::snprintf(digits, sizeof digits, "%04lld%02d%02d%02d%02d%02d.%lld",
                                 static_cast<long long>(time.year), time.month, time.day, time.hour,
                                 time.minute, time.second, static_cast<long long>(stamp.pid));
  return {digits, static_cast<std::size_t>(size)};
}

Status MessageHeader::add_field(std::string_view field) {
  const FieldSpec& spec = find_field(mail::field_name(field).value_or(""));
  seen_.insert(spec.field);
  resent_ = resent_ || spec.resent;
  if (spec.holds != Holds::text) return add_addresses(spec, field);
  lines_.push_back({&spec, std::string(field)});
  return {};
}

Status MessageHeader::add_addresses(const FieldSpec& spec, std::string_view field) {
  if (spec.field == Field::return_path && settings_.ignore_return_path) return {};
  auto list = mail::complete_address_list(mail::field_body(field), settings_.defaults);
  if (!list) return unable_to_parse(field);
  if (spec.holds == Holds::recipients) {
    append(spec.resent ? resent_recipients_ : header_recipients_, list->addresses);
  }
  if (spec.field == Field::to || spec.field == Field::cc) append(to_and_cc_, list->addresses);
  if (spec.field == Field::return_path) {
    return_path_ = list->addresses.empty() ? "" : list->addresses.front();
  }
  const auto name = mail::field_name(field).value_or("");
  lines_.push_back({&spec, mail::format_list_field(name, list->parts)});
  return {};
}

bool MessageHeader::goes_out(const FieldSpec& spec) const {
  if (spec.deleted) return false;
  if (spec.field == (resent_ ? Field::resent_from : Field::from)) return !settings_.delete_from;
  if (spec.field == (resent_ ? Field::resent_message_id : Field::message_id)) {
    return !settings_.delete_message_id;
  }
  return true;
}

// Date, Message-ID, From and a Cc where nobody can be seen to be addressed; of a resent message
// their Resent- forms, and its own are left as they are.
std::string MessageHeader::added_fields(const Stamp& stamp) const {
  const std::string prefix = resent_ ? "Resent-" : "";
  std::string added;
  if (!has(resent_ ? Field::resent_date : Field::date)) {
    added += prefix + "Date: " + format_date(stamp.now) + "\n";
  }
  if (settings_.delete_message_id || !has(resent_ ? Field::resent_message_id : Field::message_id)) {
    added += prefix + "Message-ID: <" + format_stamp(stamp) + ".qmail@" + settings_.id_host + ">\n";
  }
  if (settings_.delete_from || !has(resent_ ? Field::resent_from : Field::from)) {
    added += prefix + "From: " + from_body(settings_) + "\n";
  }
  const bool addressed =
      resent_ ? has(Field::resent_to) || has(Field::resent_cc) : has(Field::to) || has(Field::cc);
  if (!addressed) added += prefix + "Cc: recipient list not shown: ;\n";
  return added + followup_field();
}

// Where one of To and Cc is a list its writer has named in QMAILMFTFILE, answers go to them all
// and not to its writer, who reads the list anyway.
std::string MessageHeader::followup_field() const {
  const bool to_list = std::ranges::any_of(to_and_cc_, [&](const std::string& address) {
    return contains_ignoring_case(settings_.mailing_lists, address);
  });
  if (!to_list || has(Field::mail_followup_to)) return {};
  std::vector<std::string> parts;
  std::ranges::transform(to_and_cc_, std::back_inserter(parts), mail::quote_address);
  return mail::format_list_field("Mail-Followup-To", parts);
}

Result<std::string> MessageHeader::envelope_sender(const Stamp& stamp) const {
  if (const auto& asked = settings_.arguments.sender) {
    const auto list = mail::complete_address_list(*asked, settings_.defaults);
    if (!list) return unable_to_parse(*asked);
    return list->addresses.empty() ? "" : list->addresses.front();
  }
  if (has(Field::return_path) && !settings_.ignore_return_path) return return_path_;
  return default_sender(settings_, stamp);
}

Result<std::vector<std::string>> MessageHeader::recipients() const {
  const Arguments& arguments = settings_.arguments;
  std::vector<std::string> all;
  if (arguments.recipients != Recipients::header) {
    for (const auto& argument : arguments.addresses) {
      const auto list = mail::complete_address_list(argument, settings_.defaults);
      if (!list) return unable_to_parse(argument);
      append(all, list->addresses);
    }
  }
  const bool use_header =
      arguments.recipients == Recipients::header || arguments.recipients == Recipients::both ||
      (arguments.recipients == Recipients::arguments_or_header && arguments.addresses.empty());
  if (use_header) append(all, resent_ ? resent_recipients_ : header_recipients_);
  return all;
}

Result<Prepared> MessageHeader::finish(const Stamp& stamp) {
  Prepared prepared;
  auto sender = envelope_sender(stamp);
  if (!sender) return std::unexpected(sender.error());
  auto to = recipients();
  if (!to) return std::unexpected(to.error());
  prepared.sender = *std::move(sender);
  prepared.recipients = *std::move(to);
  prepared.header = added_fields(stamp);
  for (const auto& line : lines_) {
    if (goes_out(*line.spec)) prepared.header += line.text;
  }
  prepared.header += '\n';
  return prepared;
}

}  // namespace postern::inject

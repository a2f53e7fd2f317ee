// The header fields qmail-inject knows, and what it does with each (qmail-header(5)).
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>

#include "base/ascii.h"

namespace postern::inject {

enum class Field : std::uint8_t {
  other,
  apparently_to,
  bcc,
  cc,
  content_length,
  date,
  errors_to,
  from,
  mail_followup_to,
  mail_reply_to,
  message_id,
  reply_to,
  resent_bcc,
  resent_cc,
  resent_date,
  resent_from,
  resent_message_id,
  resent_reply_to,
  resent_sender,
  resent_to,
  return_path,
  return_receipt_to,
  sender,
  to,
};

enum class Holds : std::uint8_t { text, senders, recipients };

struct FieldSpec {
  std::string_view name;
  Field field;
  Holds holds;   // addresses are completed
  bool deleted;  // never goes out
  bool resent;   // makes the message a resent one, and belongs to its newest sending
};

inline constexpr std::array field_table = std::to_array<FieldSpec>({
    // clang-format off
    {"apparently-to",     Field::apparently_to,     Holds::recipients, false, false},
    {"bcc",               Field::bcc,               Holds::recipients, true,  false},
    {"cc",                Field::cc,                Holds::recipients, false, false},
    {"content-length",    Field::content_length,    Holds::text,       true,  false},
    {"date",              Field::date,              Holds::text,       false, false},
    {"errors-to",         Field::errors_to,         Holds::senders,    false, false},
    {"from",              Field::from,              Holds::senders,    false, false},
    {"mail-followup-to",  Field::mail_followup_to,  Holds::senders,    false, false},
    {"mail-reply-to",     Field::mail_reply_to,     Holds::senders,    false, false},
    {"message-id",        Field::message_id,        Holds::text,       false, false},
    {"reply-to",          Field::reply_to,          Holds::senders,    false, false},
    {"resent-bcc",        Field::resent_bcc,        Holds::recipients, true,  true},
    {"resent-cc",         Field::resent_cc,         Holds::recipients, false, true},
    {"resent-date",       Field::resent_date,       Holds::text,       false, true},
    {"resent-from",       Field::resent_from,       Holds::senders,    false, true},
    {"resent-message-id", Field::resent_message_id, Holds::text,       false, true},
    {"resent-reply-to",   Field::resent_reply_to,   Holds::senders,    false, true},
    {"resent-sender",     Field::resent_sender,     Holds::senders,    false, true},
    {"resent-to",         Field::resent_to,         Holds::recipients, false, true},
    {"return-path",       Field::return_path,       Holds::senders,    true,  false},
    {"return-receipt-to", Field::return_receipt_to, Holds::senders,    false, false},
    {"sender",            Field::sender,            Holds::senders,    false, false},
    {"to",                Field::to,                Holds::recipients, false, false},
    // clang-format on
});
static_assert(std::ranges::is_sorted(field_table, {}, &FieldSpec::name));

inline constexpr FieldSpec other_field{"", Field::other, Holds::text, false, false};

/// What is known of the field of this name, in any case of letters.
inline const FieldSpec& find_field(std::string_view name) {
  for (const auto& spec : field_table) {
    if (equal_ignoring_case(spec.name, name)) return spec;
  }
  return other_field;
}

}  // namespace postern::inject

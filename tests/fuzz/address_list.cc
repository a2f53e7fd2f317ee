// Address lists of header fields, as strangers' programs write them.
#include "mail/address_list.h"
#include "fuzz/support/input.h"
#include "mail/header.h"
#include "mail/tokens.h"

namespace postern::fuzz {
namespace {

void words(std::string_view text) {
  const auto tokens = mail::tokenize(text);
  if (!tokens) return;
  std::size_t end = 0;
  for (const auto& token : *tokens) {
    require(token.begin >= end && token.end > token.begin && token.end <= text.size(),
            "words stand one behind the other");
    require(text.substr(end, token.begin - end).find_first_not_of(" \t\r\n") == text.npos,
            "between them are blanks alone");
    end = token.end;
    require(mail::unquote(token.in(text)).size() <= token.end - token.begin,
            "a word does not grow");
  }
}

}  // namespace

void try_input(Input input) {
  const mail::HostDefaults defaults{"host.example.org", "example.org", "plus.example.org"};
  const std::string_view text = input.rest();
  words(text);
  const auto list = mail::complete_address_list(text, defaults);
  if (!list) return;
  for (const auto& address : list->addresses) {
    require(address.contains('@') && !address.contains('\0'), "an address is whole");
  }
  // Who gets the mail is what a reader of the completed field sees.
  const std::string field = mail::format_list_field("To", list->parts);
  require(field.ends_with('\n'), "a field ends its line");
  const auto again = mail::complete_address_list(mail::field_body(field), defaults);
  require(again.has_value(), "a completed list is a list");
  require(again->addresses == list->addresses, "a completed list has the same addresses");
}

}  // namespace postern::fuzz

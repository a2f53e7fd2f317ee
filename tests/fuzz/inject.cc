// A message given to qmail-inject, by a program that thinks little of RFC 5322; and the command
// lines of sendmail.
#include "inject/inject.h"
#include "base/ascii.h"
#include "fuzz/support/files.h"
#include "fuzz/support/input.h"
#include "inject/message_input.h"
#include "inject/sendmail_arguments.h"
#include "mail/header.h"
#include "wire/envelope.h"

namespace postern::fuzz {
namespace {

using inject::Settings;

constexpr inject::Stamp stamp{.now = 1'028'301'386, .pid = 4711};

Settings settings_of(unsigned choice, std::string_view name) {
  Settings settings;
  settings.user = "joe.d";
  settings.sender_user = "joe";
  settings.host = settings.sender_host = settings.id_host = "mx.example.org";
  if (!name.empty()) settings.name = name;
  settings.defaults = {"mx.example.org", "example.org", "example.net"};
  settings.mailing_lists = {"list@example.org"};
  settings.arguments.recipients = inject::Recipients::header;
  settings.address_comment_style = (choice & 1) != 0;
  settings.ignore_return_path = (choice & 2) != 0;
  settings.delete_from = (choice & 4) != 0;
  settings.delete_message_id = (choice & 8) != 0;
  settings.recipient_verp = (choice & 16) != 0;
  return settings;
}

Result<inject::Prepared> prepare(std::string_view message, const Settings& settings) {
  const Fd file = memory_file(message);
  inject::MessageInput input(file.get());
  inject::MessageHeader header(settings);
  auto read = input.read_header([&](std::string_view field) { return header.add_field(field); });
  if (!read) return std::unexpected(read.error());
  return header.finish(stamp);
}

void check_header(std::string_view header) {
  require(header.ends_with("\n\n") && header.find("\n\n") == header.size() - 2,
          "a header ends at its only blank line");
  header.remove_suffix(1);
  for (bool first = true; !header.empty(); first = false) {
    const std::string_view line = header.substr(0, header.find('\n') + 1);
    header.remove_prefix(line.size());
    if (!first && mail::is_continuation(line)) continue;
    const auto name = mail::field_name(line);
    require(name.has_value(), "a header is fields");
    require(!inject::find_field(*name).deleted, "what is to be hidden does not go out");
  }
}

void message(Input input) {
  const unsigned choice = input.choose(32);
  // The environment's line ends have become blanks (inject/settings).
  const std::string name = replace_all(input.line(), '\r', ' ');
  const Settings settings = settings_of(choice, name);
  const auto prepared = prepare(input.rest(), settings);
  if (!prepared) return;
  check_header(prepared->header);
  for (const auto& recipient : prepared->recipients) {
    require(recipient.contains('@') && !recipient.contains('\0'), "a recipient is whole");
  }
  // What has been made whole stays as it is.
  Settings keeping = settings;
  keeping.delete_from = keeping.delete_message_id = false;
  const auto again = prepare(prepared->header, keeping);
  require(again.has_value(), "a header we have made can be read");
  // Blanks that nobody sees may go, once.
  const auto and_again = prepare(again->header, keeping);
  require(and_again && and_again->header == again->header, "and is whole");
}

void body(Input input) {
  Settings settings = settings_of(0, {});
  settings.arguments.print = true;
  const Fd in = memory_file(input.rest());
  const Fd out = memory_file();
  const auto outcome = inject::inject_message(in.get(), out.get(), settings, stamp, "/nowhere");
  const std::string printed = contents_of(out);
  require(outcome.exit_code != 0 || printed.ends_with('\n'), "a message ends its last line");
  require(outcome.exit_code == 0 || printed.empty(), "what is refused is not printed");
}

void command_line(Input input) {
  std::vector<std::string> words;
  while (!input.rest().empty()) words.emplace_back(replace_all(input.line(), '\0', '0'));
  std::vector<const char*> arguments;
  for (const auto& word : words) arguments.push_back(word.c_str());
  (void)inject::parse_arguments(arguments);
  const auto parsed = inject::parse_sendmail_arguments("sendmail", arguments);
  if (!parsed || parsed->mode != inject::SendmailMode::deliver) return;
  const auto for_inject = inject::inject_arguments(*parsed);
  std::vector<const char*> passed;
  for (const auto& word : for_inject) passed.push_back(word.c_str());
  const auto taken = inject::parse_arguments(std::span(passed).subspan(1));
  require(taken.has_value(), "qmail-inject takes what sendmail gives it");
  require(taken->sender == parsed->sender && taken->addresses == parsed->recipients,
          "and understands the same");
}

constexpr std::array tries = {message, body, command_line};

}  // namespace

void try_input(Input input) { tries[input.choose(tries.size())](input); }

}  // namespace postern::fuzz

#include "inject/dot_qmail_tools.h"

#include <fcntl.h>
#include <unistd.h>

#include <csignal>
#include <ctime>

#include "base/ascii.h"
#include "base/dates.h"
#include "inject/message_input.h"
#include "mail/address.h"
#include "mail/address_list.h"
#include "mail/header.h"
#include "posix/clock.h"
#include "posix/environment.h"
#include "posix/io.h"
#include "posix/pipe.h"
#include "posix/program.h"
#include "posix/signals.h"
#include "posix/spawn.h"
#include "wire/home.h"
#include "wire/queue_client.h"

namespace postern::inject {
namespace {

Outcome usage(std::string text) { return {exit_code::permanent, "usage: " + std::move(text)}; }

std::vector<std::string> strings(Words words) { return {words.begin(), words.end()}; }

// Everything from descriptor 0 on goes to `take`.
Status copy_input(const std::function<Status(std::string_view)>& take) {
  BufferedInput input(0);
  for (;;) {
    const auto bytes = input.peek();
    if (!bytes) return std::unexpected(bytes.error());
    if (bytes->empty()) return {};
    if (auto taken = take(*bytes); !taken) return taken;
    input.consume(bytes->size());
  }
}

Status rewind_message() {
  if (::lseek(0, 0, SEEK_SET) == 0) return {};
  return system_failure("unable to go back to the begin of the message");
}

// The exit code of a program that reads the message itself; 111 if it crashed.
Result<int> ask_program(Words command) {
  if (auto rewound = rewind_message(); !rewound) return std::unexpected(rewound.error());
  auto child = spawn({.argv = strings(command), .search_path = true});
  if (!child) return std::unexpected(child.error());
  const auto status = child->wait();
  if (!status) return std::unexpected(status.error());
  if (status->crashed()) return failure(std::string(command.front()) + " crashed");
  if (auto rewound = rewind_message(); !rewound) return std::unexpected(rewound.error());
  return status->code();
}

// Runs a program with `before` and then the rest of descriptor 0 as its input. Exits as it does.
Outcome feed_program(const SpawnSpec& program, std::string_view before) {
  ignore_signal(SIGPIPE);
  auto pipe = make_pipe();
  if (!pipe) return temporary(pipe.error());
  SpawnSpec spec = program;
  spec.fds = {{pipe->read.get(), 0}};
  auto child = spawn(spec);
  if (!child) return temporary(child.error());
  pipe->read.reset();
  Status fed = write_all(pipe->write.get(), before);
  if (fed) {
    fed = copy_input([&](std::string_view bytes) { return write_all(pipe->write.get(), bytes); });
  }
  // A program that has read enough may leave; what it made of the message is its exit code.
  const bool unread = !fed && fed.error().code != EPIPE;
  pipe->write.reset();
  const auto status = child->wait();
  if (unread) return temporary(fed.error());
  if (!status) return temporary(status.error());
  if (status->crashed()) return temporary({spec.argv.front() + " crashed", 0});
  return {status->code(), {}};
}

Result<std::string> required_variable(const char* name) {
  auto value = environment_variable(name);
  if (value) return *std::move(value);
  return failure(std::string("$") + name + " is not set: this runs in .qmail files");
}

// The message, with its DTLINE, which is how a loop is found, to these addresses.
Outcome send_on(Words addresses) {
  const auto sender = required_variable("NEWSENDER");
  if (!sender) return permanent(sender.error());
  const auto delivered_to = required_variable("DTLINE");
  if (!delivered_to) return permanent(delivered_to.error());
  ignore_signal(SIGPIPE);
  auto client = wire::QueueClient::open(wire::home());
  if (!client) return temporary(client.error());
  client->write(*delivered_to);
  const auto copied = copy_input([&](std::string_view bytes) {
    client->write(bytes);
    return Status{};
  });
  if (!copied) return temporary(copied.error());
  client->sender(*sender);
  for (const char* address : addresses) client->recipient(address);
  return finish_queueing(*client);
}

// Whether the message asks for a notice of its delivery to `address`.
Result<bool> wants_notice(std::string_view address) {
  bool wanted = false;
  MessageInput input(0);
  const auto read = input.read_header([&](std::string_view field) {
    const auto name = mail::field_name(field).value_or("");
    if (!equal_ignoring_case(name, "notice-requested-upon-delivery-to")) return Status{};
    const auto list = mail::complete_address_list(mail::field_body(field), {});
    if (!list) return Status{};  // a stranger's field; whoever cannot write it gets no notice
    for (const auto& asked : list->addresses) wanted |= equal_ignoring_case(asked, address);
    return Status{};
  });
  if (!read) return std::unexpected(read.error());
  return wanted;
}

std::string delivery_notice(std::string_view address, std::string_view sender) {
  return "Date: " + format_date(unix_time()) + "\nFrom: \"Delivery notice\" <" +
         mail::quote_address(address) + ">\nTo: <" + mail::quote_address(sender) +
         ">\nSubject: success notice\nAuto-Submitted: auto-replied\n\n" +
         "Hi. This is the qreceipt program. A message of yours has been delivered to\n" +
         std::string(address) + ",\nand asked for this notice.\n";
}

}  // namespace

Outcome run_forward(Words words) {
  if (words.empty()) return usage("forward address ...");
  return send_on(words);
}

Outcome run_condredirect(Words words) {
  if (words.size() < 2) return usage("condredirect address program [argument ...]");
  const auto answer = ask_program(words.subspan(1));
  if (!answer) return temporary(answer.error());
  if (*answer == exit_code::temporary) return {exit_code::temporary, {}};
  if (*answer != 0) return {};
  Outcome sent = send_on(words.first(1));
  if (sent.exit_code == 0) sent.exit_code = exit_done;
  return sent;
}

Outcome run_bouncesaying(Words words) {
  if (words.empty()) return usage("bouncesaying text [program [argument ...]]");
  if (words.size() > 1) {
    const auto answer = ask_program(words.subspan(1));
    if (!answer) return temporary(answer.error());
    if (*answer == exit_code::temporary) return {exit_code::temporary, {}};
    if (*answer != 0) return {};
  }
  // The text is for the sender: without our name before it.
  const auto said = write_all(1, std::string(words.front()) + "\n");
  return said ? Outcome{exit_code::permanent, {}} : temporary(said.error());
}

Outcome run_except(Words words) {
  if (words.empty()) return usage("except program [argument ...]");
  const auto answer = ask_program(words);
  if (!answer) return temporary(answer.error());
  if (*answer == exit_code::temporary) return {exit_code::temporary, {}};
  return {*answer == 0 ? exit_code::permanent : exit_code::ok, {}};
}

Outcome run_preline(Words words) {
  constexpr const char* how = "preline [ -fdr ] program [argument ...]";
  std::string left_out;
  while (!words.empty() && words.front()[0] == '-' && words.front()[1] != '\0') {
    const std::string_view letters = words.front();
    words = words.subspan(1);
    if (letters == "--") break;
    if (letters.find_first_not_of("fdr", 1) != std::string_view::npos) return usage(how);
    left_out += letters.substr(1);
  }
  if (words.empty()) return usage(how);
  std::string before;
  for (const auto& [letter, name] : {std::pair{'f', "UFLINE"}, {'r', "RPLINE"}, {'d', "DTLINE"}}) {
    if (left_out.contains(letter)) continue;
    const auto line = required_variable(name);
    if (!line) return permanent(line.error());
    before += *line;
  }
  return feed_program({.argv = strings(words), .search_path = true}, before);
}

Outcome run_qreceipt(Words words) {
  if (words.size() != 1) return usage("qreceipt address");
  const auto sender = required_variable("SENDER");
  if (!sender) return permanent(sender.error());
  if (sender->empty() || *sender == "#@[]") return {};  // a bounce; nobody would read the notice
  const auto wanted = wants_notice(words.front());
  if (!wanted) return temporary(wanted.error());
  if (!*wanted) return {};
  ignore_signal(SIGPIPE);
  auto client = wire::QueueClient::open(wire::home());
  if (!client) return temporary(client.error());
  client->write(delivery_notice(words.front(), *sender));
  client->sender("");
  client->recipient(*sender);
  return finish_queueing(*client);
}

std::string local_date_field(std::int64_t now) {
  const std::time_t seconds = now;
  std::tm local{};
  ::localtime_r(&seconds, &local);
  const std::int64_t east = local.tm_gmtoff / 60;  // minutes
  const std::int64_t away = east < 0 ? -east : east;
  // The clock of this place, written as if it were UTC, then its real offset.
  std::string date = format_date(now + local.tm_gmtoff);
  date.resize(date.size() - std::string_view("-0000").size());
  char zone[16];
  std::snprintf(zone, sizeof zone, "%c%02d%02d", east < 0 ? '-' : '+', static_cast<int>(away / 60),
                static_cast<int>(away % 60));
  return "Date: " + date + zone + "\n";
}

Outcome run_predate(Words words) {
  if (words.empty()) return usage("predate program [argument ...]");
  return feed_program({.argv = strings(words), .search_path = true}, local_date_field(unix_time()));
}

Outcome run_datemail(Words words) {
  SpawnSpec sendmail{.path = wire::home() + "/bin/sendmail"};
  sendmail.argv = strings(words);
  sendmail.argv.insert(sendmail.argv.begin(), "sendmail");
  return feed_program(sendmail, local_date_field(unix_time()));
}

Outcome run_mailsubj(Words words) {
  if (words.size() < 2) return usage("mailsubj subject recipient ...");
  const std::string subject = replace_all(words.front(), '\n', ' ');
  std::vector<std::string> recipients;
  for (const char* word : words.subspan(1)) recipients.push_back(replace_all(word, '\n', ' '));
  SpawnSpec inject{.argv = {"qmail-inject"}, .path = wire::home() + "/bin/qmail-inject"};
  return feed_program(
      inject, "Subject: " + subject + "\n" + mail::format_list_field("To", recipients) + "\n");
}

int run_tool(const char* name, int argc, const char* const* argv, Outcome (*tool)(Words)) {
  return program({.name = name}, [&] {
    const Words words(argv, static_cast<std::size_t>(argc));
    const Outcome outcome = tool(words.subspan(words.empty() ? 0 : 1));
    if (!outcome.problem.empty()) die(outcome.exit_code, outcome.problem);
    return outcome.exit_code;
  });
}

}  // namespace postern::inject

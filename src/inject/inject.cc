#include "inject/inject.h"

#include <unistd.h>

#include <csignal>

#include "inject/message_input.h"
#include "posix/clock.h"
#include "posix/environment.h"
#include "posix/io.h"
#include "posix/program.h"
#include "posix/signals.h"
#include "wire/home.h"
#include "wire/queue_client.h"

namespace postern::inject {
namespace {

// An error with an errno is the system's fault, one without is the message's.
Outcome either(const Error& error) { return error.code != 0 ? temporary(error) : permanent(error); }

Outcome print(MessageInput& input, const Prepared& prepared, int out) {
  BufferedOutput output(out);
  Status done = output.put(prepared.header);
  if (done) done = input.read_body([&](std::string_view bytes) { return output.put(bytes); });
  if (done) done = output.flush();
  return done ? Outcome{} : temporary(done.error());
}

Outcome queue(MessageInput& input, const Prepared& prepared, const std::string& qmail_home) {
  auto client = wire::QueueClient::open(qmail_home);
  if (!client) return temporary(client.error());
  client->write(prepared.header);
  const auto read = input.read_body([&](std::string_view bytes) {
    client->write(bytes);
    return Status{};
  });
  if (!read) return temporary(read.error());
  client->sender(prepared.sender);
  for (const auto& recipient : prepared.recipients) client->recipient(recipient);
  return finish_queueing(*client);
}

}  // namespace

Outcome inject_message(int in, int out, const Settings& settings, const Stamp& stamp,
                       const std::string& qmail_home) {
  MessageInput input(in);
  MessageHeader header(settings);
  const auto read =
      input.read_header([&](std::string_view field) { return header.add_field(field); });
  if (!read) return either(read.error());
  const auto prepared = header.finish(stamp);
  if (!prepared) return either(prepared.error());
  if (settings.arguments.print) return print(input, *prepared, out);
  if (prepared->recipients.empty()) {
    return permanent({"no recipients: name them as arguments, or in To, Cc or Bcc"});
  }
  return queue(input, *prepared, qmail_home);
}

Outcome run_inject(std::span<const char* const> arguments) {
  auto parsed = parse_arguments(arguments);
  if (!parsed) return permanent(parsed.error());
  const std::string home = wire::home();
  const auto settings = read_settings(*std::move(parsed), environment_variable, home);
  if (!settings) return temporary(settings.error());
  ignore_signal(SIGPIPE);  // a qmail-queue that has gone is an error to report, not our end
  return inject_message(0, 1, *settings, {unix_time(), ::getpid()}, home);
}

}  // namespace postern::inject

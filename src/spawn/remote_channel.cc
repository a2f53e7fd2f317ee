#include "spawn/remote_channel.h"

#include "mail/address.h"
#include "posix/environment.h"
#include "posix/pipe.h"
#include "posix/program.h"
#include "spawn/start.h"
#include "wire/remote_report.h"
#include "wire/tcpto.h"

namespace postern::spawning {
namespace {

// A record of qmail-remote holds at most 5000 bytes of a server's reply.
constexpr std::size_t most_remote_output = 256 << 10;

}  // namespace

std::size_t RemoteChannel::most_output() const { return most_remote_output; }

Next RemoteChannel::begin(const Delivery& delivery) {
  auto pipe = make_pipe();
  if (!pipe) return "Zqmail-spawn unable to create pipe. (#4.3.0)\n";
  const auto& [number, message, sender, recipient] = delivery.order;
  const SpawnSpec spec{
      .argv = {program_, std::string(mail::split_address(recipient).host), sender, recipient},
      .search_path = true,
      .fds = {{delivery.message.get(), 0}, {pipe->write.get(), 1}, {pipe->write.get(), 2}},
      .directory = home_};
  auto child = spawn(spec);
  if (child) return Worker{std::move(*child), std::move(pipe->read)};
  if (child.error().what.starts_with("unable to fork")) {
    return "Zqmail-spawn unable to fork. (#4.3.0)\n";
  }
  // Whatever stops the program from running is for the administrator to mend; the mail waits.
  return "ZUnable to run qmail-remote.\n";
}

Next RemoteChannel::proceed(const Delivery& /*delivery*/, unsigned /*stage*/, Finished finished) {
  return format_remote_spawn_report(finished);
}

std::string format_remote_spawn_report(const Finished& finished) {
  if (finished.status.crashed()) return "Zqmail-remote crashed.\n";
  // 127 is the loader's: there was no memory for it, or a library is missing.
  if (finished.status.code() == exit_code::temporary || finished.status.code() == 127) {
    return "ZUnable to run qmail-remote.\n";
  }
  if (finished.status.code() != 0) return "DUnable to run qmail-remote.\n";
  // The record that decides may be in the part that was not kept.
  if (finished.too_long) return "Zqmail-remote produced too much output.\n";
  return wire::combine_remote_report(finished.output);
}

int serve_remote_deliveries() {
  const Start start = start_spawn();
  // A host that was down before a restart may be up; and without the files all goes on as well.
  if (const auto cleared = wire::clear_tcpto(".."); !cleared) warn(describe(cleared.error()));
  auto program = environment_variable("QMAILREMOTE");
  if (!program || program->empty()) program = "qmail-remote";
  RemoteChannel channel(*program, start.home);
  return Server(start.server, channel).run();
}

}  // namespace postern::spawning

#include "spawn/local_channel.h"

#include "mail/address.h"
#include "posix/environment.h"
#include "posix/files.h"
#include "posix/pipe.h"
#include "posix/program.h"
#include "spawn/local_report.h"
#include "spawn/start.h"
#include "spawn/user_lookup.h"

namespace postern::spawning {
namespace {

enum Stage : unsigned { looking_up, delivering };

// A worker delivers only to the user it has become, in the home it was started for, and no longer
// than its program is the one that stands in bin.
std::string kind_of(const wire::LocalUser& user, const std::string& program) {
  const std::string parts[] = {user.user, user.home, std::to_string(user.uid),
                               std::to_string(user.gid), file_version(program)};
  return wire::format_kept_order(parts);
}

std::string fixed_report(LocalExit reason) {
  return std::string(local_exit_report(static_cast<int>(reason)).value_or(""));
}

}  // namespace

std::size_t LocalChannel::most_output(const Delivery& /*delivery*/) const {
  return most_local_output;
}

Next LocalChannel::begin(const Delivery& delivery) {
  const auto to = mail::split_address(delivery.order().recipient);
  // qmail's way with "@host": delivered, to nobody.
  if (to.local.empty()) return "K";
  const std::string local(to.local);
  if (const auto user = known_users_.find(local)) return deliver(delivery, *user);
  auto worker = start_user_lookup(setup_.home, setup_.lookup, local);
  if (!worker) return "Zqmail-spawn unable to fork. (#4.3.0)\n";
  worker->stage = looking_up;
  return std::move(*worker);
}

Next LocalChannel::proceed(const Delivery& delivery, unsigned stage, Finished finished) {
  if (stage == delivering) return format_local_report(finished);
  if (finished.status.crashed() || finished.status.code() != 0) {
    return format_lookup_failure(finished.status);
  }
  const auto user = wire::parse_local_user(finished.output);
  if (!user) return fixed_report(LocalExit::bug);
  if (user->uid == 0) return fixed_report(LocalExit::would_be_root);
  known_users_.remember(std::string(mail::split_address(delivery.order().recipient).local), *user);
  return deliver(delivery, *user);
}

Next LocalChannel::deliver(const Delivery& delivery, const wire::LocalUser& user) {
  const auto to = mail::split_address(delivery.order().recipient);
  std::vector<std::string> arguments = {"--",
                                        user.user,
                                        user.home,
                                        std::string(to.local),
                                        user.dash,
                                        user.extension,
                                        std::string(to.host),
                                        delivery.order().sender,
                                        setup_.default_delivery};
  const std::string kind = kind_of(user, setup_.home + "/" + setup_.program);
  const auto order = wire::format_kept_order(arguments);
  const int message = delivery.message.get();
  if (auto worker = kept_workers_.give(kind, order, {&message, 1})) {
    return std::move(*worker);
  }
  auto next = run_qmail_local(delivery, user, std::move(arguments));
  if (auto* worker = std::get_if<Worker>(&next)) worker->kind = kind;
  return next;
}

Next LocalChannel::run_qmail_local(const Delivery& delivery, const wire::LocalUser& user,
                                   std::vector<std::string> arguments) {
  auto pipe = make_pipe();
  if (!pipe) return "Zqmail-spawn unable to create pipe. (#4.3.0)\n";
  SpawnSpec spec{
      .argv = std::move(arguments),
      .fds = {{delivery.message.get(), 0}, {pipe->write.get(), 1}, {pipe->write.get(), 2}},
      .directory = setup_.home,
      .identity = Identity{user.uid, user.gid, {}}};
  spec.argv.insert(spec.argv.begin(), setup_.program);
  PacketPair sockets;
  if (setup_.program == wire::local_program) offer_to_stay(spec, sockets);
  auto child = spawn(spec);
  if (child) {
    return Worker{.child = std::move(*child),
                  .output = std::move(pipe->read),
                  .stage = delivering,
                  .stays = std::move(sockets.ours)};
  }
  const bool not_run = child.error().what.starts_with("unable to run");
  return fixed_report(not_run ? LocalExit::exec_failed : LocalExit::system_trouble);
}

int serve_local_deliveries(std::span<char* const> arguments) {
  if (arguments.empty()) die(exit_code::permanent, "usage: qmail-lspawn defaultdelivery");
  const Start start = start_spawn();
  LocalSetup setup{.home = start.home,
                   .lookup = {start.ids.password, start.ids.nofiles, {}},
                   .default_delivery = arguments[0]};
  // Ours and our parents' to set, root's: nobody else's environment gets here.
  if (auto program = environment_variable("QMAILLOCAL"); program && !program->empty()) {
    setup.program = std::move(*program);
  }
  LocalChannel channel(std::move(setup));
  return Server(start.server, channel).run();
}

}  // namespace postern::spawning

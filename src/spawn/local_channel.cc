#include "spawn/local_channel.h"

#include "mail/address.h"
#include "posix/clock.h"
#include "posix/environment.h"
#include "posix/files.h"
#include "posix/pipe.h"
#include "posix/program.h"
#include "spawn/local_report.h"
#include "spawn/start.h"
#include "spawn/user_lookup.h"
#include "wire/own_program.h"

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

// The C library may not see in a process of some age what is to be asked instead.
std::string kind_of_lookup(const std::string& program) {
  const std::string parts[] = {file_version(program), file_version("/etc/nsswitch.conf")};
  return wire::format_kept_order(parts);
}

std::string fixed_report(LocalExit reason) {
  return std::string(local_exit_report(exit_with(reason)).value_or(""));
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
  return look_up(local);
}

// Each has one address at a time, so that no answer can be another's, and one that hangs holds up
// nobody else.
Next LocalChannel::look_up(const std::string& local) {
  const std::string program = setup_.home + "/" + std::string(wire::getpw_program);
  const bool may_stay = setup_.is_own_getpw(program);
  const std::string kind = may_stay ? kind_of_lookup(program) : "";
  if (may_stay) {
    const auto order = wire::format_kept_order({&local, 1});
    if (auto worker = lookup_workers_.give(kind, order)) return std::move(*worker);
  }
  auto worker = start_user_lookup(setup_.home, setup_.lookup, local, may_stay);
  if (!worker) return "Zqmail-spawn unable to fork. (#4.3.0)\n";
  worker->stage = looking_up;
  worker->kind = kind;
  return std::move(*worker);
}

void LocalChannel::keep(Worker worker) {
  if (worker.stage == looking_up) return lookup_workers_.put(std::move(worker));
  KeepingChannel::keep(std::move(worker));
}

int LocalChannel::tidy(bool child_ended) {
  const int deliveries = KeepingChannel::tidy(child_ended);
  if (child_ended) lookup_workers_.collect();
  return sooner(deliveries, lookup_workers_.tidy());
}

Next LocalChannel::proceed(const Delivery& delivery, unsigned stage, Finished finished) {
  if (stage == delivering) return format_local_report(finished);
  if (finished.status.crashed() || finished.status.code() != 0) {
    return format_lookup_failure(finished.status);
  }
  const auto user = wire::parse_local_user(finished.output);
  if (!user || finished.too_long) return fixed_report(LocalExit::bug);
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
  setup.is_own_getpw = [own = wire::OwnProgram(wire::getpw_stays_mark)](const auto& file) mutable {
    return own.is(file);
  };
  LocalChannel channel(std::move(setup));
  return Server(start.server, channel).run();
}

}  // namespace postern::spawning

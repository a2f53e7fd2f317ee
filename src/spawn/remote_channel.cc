#include "spawn/remote_channel.h"

#include "mail/address.h"
#include "posix/environment.h"
#include "posix/files.h"
#include "posix/pipe.h"
#include "posix/program.h"
#include "spawn/start.h"
#include "wire/own_program.h"
#include "wire/remote_report.h"
#include "wire/tcpto.h"

namespace postern::spawning {
namespace {

// Of a delivery to one recipient, whatever the program is.
constexpr std::size_t most_remote_output = 256 << 10;

std::string_view host_of(const wire::DeliveryOrder& order) {
  return mail::split_address(order.recipient).host;
}

// A worker may have a connection to where the mail of one host goes, and stays no longer than its
// program is the one that would be run.
std::string kind_of(const Delivery& delivery, const std::string& own) {
  const std::string parts[] = {std::string(host_of(delivery.order())), own, file_version(own)};
  return wire::format_kept_order(parts);
}

// What is said of messages that nobody has tried must leave them in the queue.
bool is_plain_deferral(std::string_view output) {
  return output.starts_with('Z') && output.find('\0') == output.size() - 1;
}

}  // namespace

std::size_t RemoteChannel::most_output(const Delivery& delivery) const {
  return most_remote_output + (delivery.orders.size() - 1) * wire::most_remote_record_bytes;
}

// The host byte for byte: reports show it as it was written.
std::string RemoteChannel::common_to(const wire::DeliveryOrder& order) {
  if (own_.empty()) return {};
  std::string common;
  common.append(order.message).push_back('\0');
  common.append(order.sender).push_back('\0');
  return common.append(host_of(order));
}

Next RemoteChannel::begin(const Delivery& delivery) {
  std::vector<std::string> arguments = {std::string(host_of(delivery.order())),
                                        delivery.order().sender};
  for (const auto& order : delivery.orders) arguments.push_back(order.recipient);
  if (own_.empty()) return run(delivery, std::move(arguments));
  if (const auto said = dead_hosts_.answer(arguments.front())) {
    return wire::combine_remote_reports(*said, delivery.orders.size());
  }
  const std::string kind = kind_of(delivery, own_);
  const auto order = wire::format_kept_order(arguments);
  const int message = delivery.message.get();
  if (auto worker = kept_workers_.give(kind, order, {&message, 1})) {
    return std::move(*worker);
  }
  auto next = run(delivery, std::move(arguments));
  if (auto* worker = std::get_if<Worker>(&next)) worker->kind = kind;
  return next;
}

Next RemoteChannel::run(const Delivery& delivery, std::vector<std::string> arguments) {
  auto pipe = make_pipe();
  if (!pipe) return "Zqmail-spawn unable to create pipe. (#4.3.0)\n";
  SpawnSpec spec{
      .argv = std::move(arguments),
      .path = own_,
      .search_path = own_.empty(),
      .fds = {{delivery.message.get(), 0}, {pipe->write.get(), 1}, {pipe->write.get(), 2}},
      .directory = setup_.home};
  spec.argv.insert(spec.argv.begin(), setup_.program);
  PacketPair sockets;
  if (!own_.empty()) offer_to_stay(spec, sockets);
  auto child = spawn(spec);
  if (child) {
    return Worker{.child = std::move(*child),
                  .output = std::move(pipe->read),
                  .stays = std::move(sockets.ours)};
  }
  if (child.error().what.starts_with("unable to fork")) {
    return "Zqmail-spawn unable to fork. (#4.3.0)\n";
  }
  // Whatever stops the program from running is for the administrator to mend; the mail waits.
  return "ZUnable to run qmail-remote.\n";
}

Next RemoteChannel::proceed(const Delivery& delivery, unsigned /*stage*/, Finished finished) {
  const std::string host(host_of(delivery.order()));
  const bool unreachable = finished.stays && finished.status.code() == wire::host_unreachable;
  if (unreachable) finished.status = ExitStatus::of_code(exit_code::ok);
  // It serves this host alone, and can put off no other's mail.
  if (unreachable && is_plain_deferral(finished.output)) {
    dead_hosts_.failed(host, finished.output);
  } else {
    dead_hosts_.reached(host);
  }
  return format_remote_spawn_reports(finished, delivery.orders.size());
}

std::vector<std::string> format_remote_spawn_reports(const Finished& finished,
                                                     std::size_t recipients) {
  const auto all = [&](std::string_view text) {
    return std::vector<std::string>(recipients, std::string(text));
  };
  if (finished.status.crashed()) return all("Zqmail-remote crashed.\n");
  // 127 is the loader's: there was no memory for it, or a library is missing.
  if (finished.status.code() == exit_code::temporary || finished.status.code() == 127) {
    return all("ZUnable to run qmail-remote.\n");
  }
  if (finished.status.code() != 0) return all("DUnable to run qmail-remote.\n");
  // The record that decides may be in the part that was not kept.
  if (finished.too_long) return all("Zqmail-remote produced too much output.\n");
  return wire::combine_remote_reports(finished.output, recipients);
}

int serve_remote_deliveries() {
  const Start start = start_spawn();
  // A host that was down before a restart may be up; and without the files all goes on as well.
  if (const auto cleared = wire::clear_tcpto(".."); !cleared) warn(describe(cleared.error()));
  RemoteSetup setup{.home = start.home};
  if (auto program = environment_variable("QMAILREMOTE"); program && !program->empty()) {
    setup.program = std::move(*program);
  } else {
    setup.own_program = [own = wire::OwnProgram(wire::takes_several_mark),
                         name = setup.program]() mutable { return own.find(name); };
  }
  RemoteChannel channel(setup);
  return Server(start.server, channel).run();
}

}  // namespace postern::spawning

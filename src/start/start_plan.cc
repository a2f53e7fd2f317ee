#include "start/start_plan.h"

#include <algorithm>

#include "posix/environment.h"
#include "wire/delivery_order.h"
#include "wire/descriptors.h"

namespace postern::start {
namespace {

namespace send_fd = wire::send_fd;
namespace server_fd = wire::server_fd;

// Every message passes qmail-send and qmail-clean, which wait for each other, one order at a time.
// Each wait for a busy processor would be all messages': new mail would come faster than it is
// taken on, and stand behind what has come before.
constexpr int niceness_of_the_queues_own = -10;
constexpr int standard_output = 1;
constexpr int standard_error = 2;

Result<Channel> make_channel() {
  auto orders = make_pipe();
  if (!orders) return std::unexpected(orders.error());
  auto reports = make_pipe();
  if (!reports) return std::unexpected(reports.error());
  return Channel{std::move(*orders), std::move(*reports)};
}

// A program on the other end of a channel. What it has to say before it can report goes to the log.
SpawnSpec plan_server(std::vector<std::string> argv, const Channel& channel, int log) {
  SpawnSpec spec;
  spec.argv = std::move(argv);
  spec.search_path = true;
  spec.fds = {{channel.orders.read.get(), server_fd::orders},
              {channel.reports.write.get(), server_fd::reports},
              {log, standard_error}};
  return spec;
}

}  // namespace

StartArguments parse_start_arguments(std::span<char* const> arguments) {
  StartArguments parsed;
  if (arguments.size() > 1) parsed.default_delivery = arguments[1];
  for (const char* argument : arguments.subspan(std::min<std::size_t>(2, arguments.size()))) {
    parsed.logger.emplace_back(argument);
  }
  return parsed;
}

Result<Channels> make_channels(bool with_logger) {
  Channels channels;
  for (Channel* channel : {&channels.lspawn, &channels.rspawn, &channels.clean}) {
    auto made = make_channel();
    if (!made) return std::unexpected(made.error());
    *channel = std::move(*made);
  }
  if (with_logger) {
    auto log = make_pipe();
    if (!log) return std::unexpected(log.error());
    channels.log = std::move(*log);
  }
  return channels;
}

StartPlan plan_start(const StartArguments& arguments, const SuiteIds& ids, const Channels& channels,
                     const std::vector<std::string>& environment, std::size_t number_bytes) {
  std::vector<std::string> plain = environment;
  unset_in(plain, wire::wide_numbers_variable);
  std::vector<std::string> numbered = plain;
  if (number_bytes == 2) set_in(numbered, wire::wide_numbers_variable, "2");

  const bool has_logger = !arguments.logger.empty();
  const int log = has_logger ? channels.log.write.get() : standard_output;
  StartPlan plan;
  if (has_logger) {
    SpawnSpec logger;
    logger.argv = arguments.logger;
    logger.search_path = true;
    logger.environment = plain;
    logger.fds = {{channels.log.read.get(), 0}};
    logger.identity = Identity{ids.log, ids.nofiles, {}};
    plan.children.push_back(std::move(logger));
  }

  SpawnSpec lspawn =
      plan_server({"qmail-lspawn", arguments.default_delivery}, channels.lspawn, log);
  lspawn.environment = numbered;
  plan.children.push_back(std::move(lspawn));

  SpawnSpec rspawn = plan_server({"qmail-rspawn"}, channels.rspawn, log);
  rspawn.environment = numbered;
  rspawn.identity = Identity{ids.remote, ids.qmail, {}};
  plan.children.push_back(std::move(rspawn));

  SpawnSpec clean = plan_server({"qmail-clean"}, channels.clean, log);
  clean.environment = plain;
  clean.identity = Identity{ids.queue, ids.qmail, {}};
  clean.niceness = niceness_of_the_queues_own;
  plan.children.push_back(std::move(clean));

  plan.send.argv = {"qmail-send"};
  plan.send.search_path = true;
  plan.send.environment = numbered;
  plan.send.identity = Identity{ids.send, ids.qmail, {}};
  plan.send.niceness = niceness_of_the_queues_own;
  plan.send.fds = {{log, send_fd::log},
                   {channels.lspawn.orders.write.get(), send_fd::to_lspawn},
                   {channels.lspawn.reports.read.get(), send_fd::from_lspawn},
                   {channels.rspawn.orders.write.get(), send_fd::to_rspawn},
                   {channels.rspawn.reports.read.get(), send_fd::from_rspawn},
                   {channels.clean.orders.write.get(), send_fd::to_clean},
                   {channels.clean.reports.read.get(), send_fd::from_clean}};
  return plan;
}

}  // namespace postern::start

// The remote spawn's deliveries: a qmail-remote for the recipients of a message at one host, or for
// each recipient, where it is not our own.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "spawn/dead_hosts.h"
#include "spawn/kept_workers.h"
#include "wire/kept_worker.h"

namespace postern::spawning {

struct RemoteSetup {
  std::string home;                           // the qmail home
  std::string program{wire::remote_program};  // looked for in $PATH
  /// The file that this means, if it is Postern's own qmail-remote; else empty.
  std::function<std::string()> own_program = [] { return std::string(); };
  KeptWorkers::Clock now = std::chrono::steady_clock::now;
};

class RemoteChannel : public KeepingChannel {
 public:
  /// A server is not asked to take more than 100 messages over a connection.
  explicit RemoteChannel(RemoteSetup setup)
      : KeepingChannel(setup.now, {.deliveries = 100}),
        setup_(std::move(setup)),
        dead_hosts_(setup_.now) {}
  [[nodiscard]] std::size_t most_output(const Delivery& delivery) const override;
  void look_around() override { own_ = setup_.own_program(); }
  std::string common_to(const wire::DeliveryOrder& order) override;
  Next begin(const Delivery& delivery) override;
  Next proceed(const Delivery& delivery, unsigned stage, Finished finished) override;

 private:
  Next run(const Delivery& delivery, std::vector<std::string> arguments);

  RemoteSetup setup_;
  DeadHosts dead_hosts_;
  std::string own_;  // the program, if it is Postern's own
};

/// The report for each recipient of a qmail-remote that has ended.
std::vector<std::string> format_remote_spawn_reports(const Finished& finished,
                                                     std::size_t recipients);

/// qmail-rspawn: everything after main().
int serve_remote_deliveries();

}  // namespace postern::spawning

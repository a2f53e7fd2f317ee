// The remote spawn's deliveries: one qmail-remote for each recipient.
#pragma once

#include <span>
#include <string>

#include "spawn/channel.h"

namespace postern::spawning {

class RemoteChannel : public Channel {
 public:
  /// `program` is looked for in $PATH; `home` is the qmail home.
  RemoteChannel(std::string program, std::string home)
      : program_(std::move(program)), home_(std::move(home)) {}
  [[nodiscard]] std::size_t most_output() const override;
  Next begin(const Delivery& delivery) override;
  Next proceed(const Delivery& delivery, unsigned stage, Finished finished) override;

 private:
  std::string program_;
  std::string home_;
};

/// The report for a qmail-remote that has ended.
std::string format_remote_spawn_report(const Finished& finished);

/// qmail-rspawn: everything after main().
int serve_remote_deliveries();

}  // namespace postern::spawning

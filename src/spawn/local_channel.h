// The local spawn's deliveries: look the recipient up, become that user, run qmail-local.
#pragma once

#include <functional>
#include <span>
#include <string>

#include "posix/identity.h"
#include "spawn/channel.h"
#include "spawn/kept_workers.h"
#include "spawn/known_users.h"
#include "wire/kept_worker.h"
#include "wire/users_cdb.h"

namespace postern::spawning {

struct LocalSetup {
  std::string home;                          // the qmail home
  Identity lookup;                           // who looks users up: qmailp
  std::string default_delivery;              // what an empty .qmail file means: "./Maildir/"
  std::string program{wire::local_program};  // in the qmail home
  KnownUsers::Clock now = std::chrono::steady_clock::now;
  /// Whether this file is Postern's own qmail-getpw, that may be offered to stay.
  std::function<bool(const std::string& file)> is_own_getpw = [](const auto&) { return false; };
};

class LocalChannel : public KeepingChannel {
 public:
  explicit LocalChannel(LocalSetup setup)
      : KeepingChannel(setup.now, {.deliveries = 200}),
        setup_(std::move(setup)),
        lookup_workers_(setup_.now,
                        {.deliveries = 1000, .most = most_lookup_workers, .in_all = true}),
        known_users_({setup_.home + "/users/cdb", "/etc/passwd"}, setup_.now) {}
  [[nodiscard]] std::size_t most_output(const Delivery& delivery) const override;
  Next begin(const Delivery& delivery) override;
  Next proceed(const Delivery& delivery, unsigned stage, Finished finished) override;
  void keep(Worker worker) override;
  int tidy(bool child_ended) override;

 private:
  Next look_up(const std::string& local);
  Next deliver(const Delivery& delivery, const wire::LocalUser& user);
  Next run_qmail_local(const Delivery& delivery, const wire::LocalUser& user,
                       std::vector<std::string> arguments);

  LocalSetup setup_;
  KeptWorkers lookup_workers_;
  KnownUsers known_users_;
};

/// qmail-lspawn: everything after main(). `arguments` without the program's name.
int serve_local_deliveries(std::span<char* const> arguments);

}  // namespace postern::spawning

// The local spawn's deliveries: look the recipient up, become that user, run qmail-local.
#pragma once

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
};

class LocalChannel : public KeepingChannel {
 public:
  explicit LocalChannel(LocalSetup setup)
      : KeepingChannel(setup.now, {.deliveries = 200}),
        setup_(std::move(setup)),
        known_users_({setup_.home + "/users/cdb", "/etc/passwd"}, setup_.now) {}
  [[nodiscard]] std::size_t most_output(const Delivery& delivery) const override;
  Next begin(const Delivery& delivery) override;
  Next proceed(const Delivery& delivery, unsigned stage, Finished finished) override;

 private:
  Next deliver(const Delivery& delivery, const wire::LocalUser& user);
  Next run_qmail_local(const Delivery& delivery, const wire::LocalUser& user,
                       std::vector<std::string> arguments);

  LocalSetup setup_;
  KnownUsers known_users_;
};

/// qmail-lspawn: everything after main(). `arguments` without the program's name.
int serve_local_deliveries(std::span<char* const> arguments);

}  // namespace postern::spawning

#include "smtpd/session_process.h"

#include <fcntl.h>
#include <unistd.h>

#include "posix/environment.h"
#include "smtpd/connection.h"
#include "wire/tcp_environment.h"

namespace postern::smtpd {
namespace {

bool put_on_descriptors_0_and_1(int fd) { return ::dup2(fd, 0) >= 0 && ::dup2(fd, 1) >= 0; }

class SessionProcess {
 public:
  SessionProcess(const std::vector<std::string>& arguments, wire::KeptWorker server,
                 SessionQueue& queue)
      : arguments_(arguments), server_(std::move(server)), queue_(queue) {}

  int serve() {
    auto client = server_.first();
    while (client && *client) {
      const ServedClient served = serve_one(**client);
      if (served.exit_code != 0 || served.has_seen_auth) return served.exit_code;
      if (!put_on_descriptors_0_and_1(nothing_.get())) return served.exit_code;
      client = server_.next(served.exit_code);
    }
    return client ? exit_code::ok : exit_code::temporary;
  }

 private:
  ServedClient serve_one(wire::KeptOrder& client) {
    replace_environment(environment_);
    for (const auto& word : client.arguments) wire::apply({wire::parse_setting(word)});
    if (!put_on_descriptors_0_and_1(client.message.get())) return {exit_code::temporary};
    client.message.reset();
    return serve_smtp(arguments_, queue_.for_this_client());
  }

  const std::vector<std::string>& arguments_;
  wire::KeptWorker server_;
  SessionQueue& queue_;
  std::vector<std::string> environment_ = current_environment();
  // Descriptors 0 and 1 are the client's as long as there is one; else what they are now.
  Fd nothing_{::fcntl(0, F_DUPFD_CLOEXEC, 3)};
};

}  // namespace

int serve_clients(const std::vector<std::string>& arguments, wire::KeptWorker server,
                  SessionQueue& queue) {
  return SessionProcess(arguments, std::move(server), queue).serve();
}

}  // namespace postern::smtpd

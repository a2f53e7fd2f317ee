#include "smtpd/session_queue.h"

#include <fcntl.h>

#include "posix/environment.h"
#include "wire/home.h"

namespace postern::smtpd {

SessionQueue SessionQueue::from_environment() {
  auto home = environment_variable(session_orders_variable);
  unset_environment_variable(session_orders_variable);
  if (!home || ::fcntl(session_orders_fd, F_SETFD, FD_CLOEXEC) != 0) return {std::nullopt, Fd{}};
  return {std::move(home), Fd(session_orders_fd)};
}

wire::MessageQueue& SessionQueue::for_this_client() {
  if (home_ == wire::home()) return served_;
  return own_.emplace();
}

}  // namespace postern::smtpd

#include "queue/received_line.h"

#include <array>

#include "base/dates.h"
#include "posix/identity.h"

namespace postern::queue {

std::string describe_invoker(uid_t uid, std::string_view passwd) {
  struct Invoker {
    std::string_view user;
    std::string_view words;
  };
  constexpr std::array<Invoker, 3> invokers = {
      {{"alias", "by alias"}, {"qmaild", "from network"}, {"qmails", "for bounce"}}};
  for (const auto& [name, words] : invokers) {
    const auto user = find_local_user(passwd, name);
    if (user && user->uid == uid) return std::string(words);
  }
  return "by uid " + std::to_string(uid);
}

std::string format_received_line(pid_t pid, std::string_view invoker, std::int64_t now) {
  return "Received: (qmail " + std::to_string(pid) + " invoked " + std::string(invoker) + "); " +
         format_date(now) + "\n";
}

}  // namespace postern::queue

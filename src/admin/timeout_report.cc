#include "admin/timeout_report.h"

#include <arpa/inet.h>

namespace postern::admin {

std::string format_timeouts(const wire::TcptoFormat& format, std::string_view bytes,
                            std::int64_t now) {
  std::string text;
  for (const auto& record : wire::parse_tcpto(format, bytes)) {
    char address[INET6_ADDRSTRLEN] = "";
    ::inet_ntop(record.address.size() == 4 ? AF_INET : AF_INET6, record.address.data(), address,
                sizeof address);
    // A clock that was wrong once can have left a time that is still to come.
    const auto seconds = now - static_cast<std::int64_t>(record.last_at);
    text.append(address).append(" timed out ").append(std::to_string(seconds));
    text.append(" seconds ago; # recent timeouts: ").append(std::to_string(record.count));
    text.append("\n");
  }
  return text;
}

}  // namespace postern::admin

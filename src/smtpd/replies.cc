#include "smtpd/replies.h"

namespace postern::smtpd {

std::string format_reply(int code, std::string_view text) {
  return std::to_string(code).append(" ").append(text).append("\r\n");
}

std::string format_reply(const Reply& reply) {
  std::string text(reply.text);
  if (!reply.status.empty()) text.append(" (#").append(reply.status).append(")");
  return format_reply(reply.code, text);
}

}  // namespace postern::smtpd

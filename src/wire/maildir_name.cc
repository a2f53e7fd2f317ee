#include "wire/maildir_name.h"

namespace postern::wire {

std::string format_maildir_name(const MaildirDelivery& delivery, std::string_view host) {
  std::string name = std::to_string(delivery.time) + "." + std::to_string(delivery.pid);
  if (delivery.count > 0) name += "_" + std::to_string(delivery.count);
  name += '.';
  for (const char c : host) {
    if (c == '/') {
      name += "\\057";
    } else if (c == ':') {
      name += "\\072";
    } else {
      name += c;
    }
  }
  return name;
}

std::string_view unique_maildir_part(std::string_view file_name) {
  return file_name.substr(0, file_name.find(':'));
}

}  // namespace postern::wire

// Whom no mail is taken from or for: badmailfrom and badrcptto.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "control/host_map.h"

namespace postern::smtpd {

/// badmailfrom and badrcptto: lines "user@host", "@host" and "user@", compared without case.
class AddressList {
 public:
  AddressList() = default;
  explicit AddressList(const std::vector<std::string>& lines) : lines_(lines) {}
  [[nodiscard]] bool lists(std::string_view address) const;

 private:
  control::HostSet lines_;
};

}  // namespace postern::smtpd

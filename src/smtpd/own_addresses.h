// The addresses of this machine's network interfaces.
#pragma once

#include "smtpd/services.h"

namespace postern::smtpd {

class OwnAddresses : public HostAddresses {
 public:
  /// Asks the system each time; few clients ever name us by address.
  Result<bool> are_named_by(std::string_view literal) override;
};

}  // namespace postern::smtpd

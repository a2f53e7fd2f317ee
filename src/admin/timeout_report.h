// What qmail-tcpto prints of lock/tcpto and lock/tcpto6. Format: docs/wire/tcpto.md.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "wire/tcpto.h"

namespace postern::admin {

/// "192.0.2.1 timed out 3600 seconds ago; # recent timeouts: 2", a line for each address that has
/// not answered since it last did.
std::string format_timeouts(const wire::TcptoFormat& format, std::string_view bytes,
                            std::int64_t now);

}  // namespace postern::admin

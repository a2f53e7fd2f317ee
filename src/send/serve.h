// qmail-send from its start to its end.
#pragma once

#include <string>

#include "posix/fd.h"

namespace postern::send {

/// The descriptors qmail-start gives it (wire/descriptors.h).
struct Descriptors {
  Fd log;
  Fd to_lspawn;
  Fd from_lspawn;
  Fd to_rspawn;
  Fd from_rspawn;
  Fd to_clean;
  Fd from_clean;
};

/// Runs until SIGTERM; the exit code. `home` is the qmail home.
int serve(const std::string& home, Descriptors descriptors);

}  // namespace postern::send

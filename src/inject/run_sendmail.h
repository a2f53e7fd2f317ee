// The sendmail program: becomes qmail-inject, qmail-smtpd or qmail-qread.
#pragma once

#include <span>

#include "inject/outcome.h"

namespace postern::inject {

/// argv of sendmail, its name included. Returns only when there was nothing to run, or it could not
/// be run.
Outcome run_sendmail(std::span<const char* const> argv);

}  // namespace postern::inject

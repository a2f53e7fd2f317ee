// The control files as they are: what each holds or what stands for it, for qmail-showctl.
#pragma once

#include <string>

#include "base/error.h"
#include "control/table.h"

namespace postern::admin {

/// The lines about one control file: its name, its value or its default, what reads it and what it
/// means. Passwords are not shown. The current directory is the qmail home. Error: it cannot be
/// read, or its value makes no sense.
Result<std::string> report_control_file(const control::Spec& spec);

/// What was fixed when this suite was built, and the ids of its users and groups.
std::string report_build();

}  // namespace postern::admin

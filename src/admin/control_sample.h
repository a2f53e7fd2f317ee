// Samples of the control files, for the folder control/ of the sources: what each means, and how it
// might look.
#pragma once

#include <string>

#include "control/table.h"

namespace postern::admin {

/// The whole text of the sample of one control file. It could be used as it is: readers of a single
/// value look at the first line only, the others skip lines that begin with '#'.
std::string format_sample(const control::Spec& spec);

}  // namespace postern::admin

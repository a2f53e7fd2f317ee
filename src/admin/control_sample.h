// Samples of the control files, for the folder control/ of the sources: what each means, and how it
// might look.
#pragma once

#include <string>
#include <string_view>

#include "control/table.h"

namespace postern::admin {

/// What holds when the file is absent: "what control/me holds", "none", "604800 seconds".
std::string describe_default(const control::Spec& spec);
/// How files of a kind are written: sentences, with a LF between them.
std::string_view describe_form(control::Kind kind);
/// How the file might look, without comment.
std::string_view sample_lines(const control::Spec& spec);

/// The whole text of the sample of one control file. It could be used as it is: readers of a single
/// value look at the first line only, the others skip lines that begin with '#'.
std::string format_sample(const control::Spec& spec);

}  // namespace postern::admin

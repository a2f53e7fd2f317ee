// The parts of manual pages that come from tables: control files, and qmail-queue's exit codes.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace postern::admin {

/// The page with what stands between two such lines made anew:
///   .\" generated: PART
///   .\" end of generated
/// PART is one of
///   control-table              every control file, with its default, form, readers and a sample
///   control-files PROGRAM      the files that one program reads
///   queue-exits                qmail-queue's exit codes
/// Error: an unknown part, a program that reads no control file, a part without its end; with the
/// line's number.
Result<std::string> fill_page(std::string_view page);

}  // namespace postern::admin
